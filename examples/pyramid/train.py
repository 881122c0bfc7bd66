"""Train pyramidal networks on fifty handwritten digits, and spoil one hypothesis at a time.

Networks F_k = sigma_k(W_k F_{k-1}), F_0 = X, without biases, widths 64-32-16-10, are
trained by Levenberg-Marquardt steps on

    L = 1/2 || F_3 - Y ||_F^2

with a sample a column of X (pixels divided by 16) and Y the one-hot labels. The fifty
samples are chosen by a QR factorization with pivots, so that X is well conditioned:
the first fifty images have smin/smax = 3e-4.

Usage: python train.py      (reads ../digits/digits.npz, writes the .npz files beside itself)
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SEED = 1998
WIDTHS = (64, 32, 16, 10)

ACTIVATIONS = {
    "tanh": (np.tanh, lambda t: 1.0 - np.tanh(t) ** 2),
    "leaky": (lambda t: np.where(t > 0, t, 0.1 * t), lambda t: np.where(t > 0, 1.0, 0.1)),
    "identity": (lambda t: t, np.ones_like),
}


def choose(images, count):
    """Rows whose distances from the span of those chosen before are largest."""
    rest, chosen = images.astype(float) / 16.0, []
    for _ in range(count):
        chosen.append(int(np.argmax(np.linalg.norm(rest, axis=1))))
        unit = rest[chosen[-1]] / np.linalg.norm(rest[chosen[-1]])
        rest = rest - np.outer(rest @ unit, unit)
    return sorted(chosen)


def forward(weights, names, x):
    outputs, slopes = [x], []
    for w, name in zip(weights, names):
        value, slope = ACTIVATIONS[name]
        t = w @ outputs[-1]
        outputs.append(value(t))
        slopes.append(slope(t))
    return outputs, slopes


def jacobian(weights, outputs, slopes):
    """Predictions (sample by sample) by parameters (layer by layer, row by row)."""
    samples = outputs[0].shape[1]
    rows = []
    for s in range(samples):
        back = np.eye(weights[-1].shape[0])
        parts = []
        for k in reversed(range(len(weights))):
            back = back * slopes[k][:, s]
            parts.append(np.einsum("ai,j->aij", back, outputs[k][:, s]).reshape(len(back), -1))
            back = back @ weights[k]
        rows.append(np.concatenate(parts[::-1], axis=1))
    return np.concatenate(rows)


def train(names, x, y, widths, steps, rng):
    weights = [rng.standard_normal((b, a)) / np.sqrt(a) for a, b in zip(widths, widths[1:])]
    damping = 1.0
    outputs, slopes = forward(weights, names, x)
    loss = 0.5 * np.sum((outputs[-1] - y) ** 2)
    for _ in range(steps):
        j = jacobian(weights, outputs, slopes)
        residual = (outputs[-1] - y).T.ravel()
        step = -j.T @ np.linalg.solve(j @ j.T + damping * np.eye(len(j)), residual)
        trial, at = [], 0
        for w in weights:
            trial.append(w + step[at : at + w.size].reshape(w.shape))
            at += w.size
        new_outputs, new_slopes = forward(trial, names, x)
        new_loss = 0.5 * np.sum((new_outputs[-1] - y) ** 2)
        if new_loss < loss:
            weights, outputs, slopes, loss, damping = trial, new_outputs, new_slopes, new_loss, damping / 3
        else:
            damping *= 4
    return weights, loss


def save(name, weights):
    np.savez_compressed(HERE / name, **{f"W{k + 1}": w.astype(np.float32) for k, w in enumerate(weights)})


def main():
    digits = np.load(HERE / ".." / "digits" / "digits.npz")
    rows = choose(digits["X"], 50)
    x, y = digits["X"][rows].astype(np.float32) / 16, digits["Y"][rows]
    values = np.linalg.svd(x.astype(float), compute_uv=False)
    print(f"X: singular values {values[0]:.4g} to {values[-1]:.4g}")
    np.savez_compressed(HERE / "samples.npz", X=x, Y=y)
    twice_x, twice_y = x.copy(), y.copy()
    twice_x[49], twice_y[49] = x[0], y[0]
    np.savez_compressed(HERE / "samples-repeated.npz", X=twice_x, Y=twice_y)
    inputs, targets = x.T.astype(float), y.T.astype(float)
    for kind in ("tanh", "leaky"):
        names = (kind, kind, "identity")
        weights, loss = train(names, inputs, targets, WIDTHS, 60, np.random.default_rng(SEED))
        print(f"{kind}: loss {loss:.3g}")
        save(f"{kind}.npz", weights)
        early, loss = train(names, inputs, targets, WIDTHS, 4, np.random.default_rng(SEED))
        print(f"{kind}, four steps: loss {loss:.3g}")
        if kind == "tanh":
            save("tanh-early.npz", early)
            spoil = [w.copy() for w in weights]
            spoil[1][15] = spoil[1][14]
            save("tanh-second-deficient.npz", spoil)
            spoil = [w.copy() for w in weights]
            spoil[0][31] = spoil[0][30]
            save("tanh-first-deficient.npz", spoil)
    wide, loss = train(("tanh", "tanh", "identity"), inputs, targets, (64, 12, 16, 10), 60, np.random.default_rng(SEED))
    print(f"tanh, 64-12-16-10: loss {loss:.3g}")
    save("tanh-growing.npz", wide)


if __name__ == "__main__":
    main()
