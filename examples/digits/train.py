"""Train small deep linear networks on handwritten digits and keep checkpoints.

Two networks without biases are trained by full-batch gradient descent on

    L(W1, ..., Wh) = 1/2 || Wh ... W1 X - Y ||_F^2,

the samples being the columns of X: an autoencoder 64-24-8-24-64 (Y = X) and a
classifier 64-6-10 (Y = one-hot labels). A step is W_k <- W_k - s dL/dW_k for
all k at once: no momentum, no preconditioning, no weight decay, no noise. The
step s belongs to the sum L as written; for the mean L / n it would be n times
as large and give the same iterates. s is constant, except in the last phase
of a run that must converge (see `Run.converge`).

L depends on the data only through C = X X' (64 x 64), K = Y X' and ||Y||^2,
which are integers here and hence exact, so a step costs the same for any
number of samples.

Usage: python train.py      (writes digits.npz and the checkpoints next to itself)
"""

import os

# One thread: the matrices are tiny, and the order of summation stays fixed.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import pathlib
import time

import numpy as np
from safetensors.numpy import save as serialize
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).resolve().parent
SEED = 1998


# ---------------------------------------------------------------- the problem


class Problem:
    """Data of one regression task, compressed; measurements in whitened coordinates."""

    def __init__(self, X, Y, split):
        # X, Y: one column per sample. split: the narrowest layer, where the
        # product is cut into A = Wh ... W_{split+1} and B = W_split ... W1.
        self.split = split
        self.C = X @ X.T
        self.K = Y @ X.T
        self.norm_Y = np.linalg.norm(Y)
        U, s, Vt = np.linalg.svd(X, full_matrices=False)
        rank = int(np.sum(s > s[0] * max(X.shape) * np.finfo(float).eps))
        self.US = U[:, :rank] * s[:rank]  # whitening: W -> W U_x S_x
        self.Z = Y @ Vt[:rank].T  # whitened target
        self.norm_Z = np.linalg.norm(self.Z)
        self.left, sing, _ = np.linalg.svd(self.Z, full_matrices=False)
        self.sigma = sing**2

    def gradients(self, W):
        """dL/dW_k for all k; A'(AB C - K) and (AB C - K)B' without forming AB."""
        p, h = self.split, len(W)
        low = [W[0]]  # low[k] = W_{k+1} ... W_1
        for k in range(1, p):
            low.append(W[k] @ low[-1])
        high = [W[h - 1]]  # high[k] = W_h ... W_{h-k}
        for k in range(h - 2, p - 1, -1):
            high.append(high[-1] @ W[k])
        B, A = low[-1], high[-1]
        BC = B @ self.C
        dA = A @ (BC @ B.T) - self.K @ B.T
        dB = (A.T @ A) @ BC - A.T @ self.K
        grads = [None] * h
        for k in range(p - 1, -1, -1):
            grads[k] = dB @ low[k - 1].T if k else dB
            dB = W[k].T @ dB
        for k in range(p, h):
            grads[k] = high[h - k - 2].T @ dA if k < h - 1 else dA
            dA = dA @ W[k].T
        return grads

    def whitened(self, W):
        out = self.US
        for w in W:
            out = w @ out
        return out

    def loss(self, W):
        fit = np.linalg.norm(self.whitened(W) - self.Z) ** 2
        return 0.5 * (fit + self.norm_Y**2 - self.norm_Z**2)

    def critical_value(self, e):
        """Value of L at the saddle that holds the e leading directions of Z."""
        return 0.5 * (self.norm_Y**2 - self.sigma[:e].sum())

    def distance(self, W, e):
        """|| W U_x S_x - P_e Z || / || Z ||, P_e = projection on e leading directions."""
        u = self.left[:, :e]
        return np.linalg.norm(self.whitened(W) - u @ (u.T @ self.Z)) / self.norm_Z

    def layer_scales(self, W):
        """||Wh ... W_{k+1}||_2 ||W_{k-1} ... W1 X||_2 for every k."""
        scales = []
        for k in range(len(W)):
            above = np.eye(W[-1].shape[0])
            for w in reversed(W[k + 1 :]):
                above = above @ w
            scales.append(np.linalg.norm(above, 2) * np.linalg.norm(self.whitened(W[:k]), 2))
        return np.array(scales)

    def relative_gradient(self, W):
        """max_k ||grad_k|| / (layer_scales_k (||WX|| + ||Y||))."""
        sizes = np.array([np.linalg.norm(g) for g in self.gradients(W)])
        scale = np.linalg.norm(self.whitened(W)) + self.norm_Y
        return np.max(sizes / self.layer_scales(W)) / scale

    def curvature(self, W):
        """An upper bound of the Hessian's largest eigenvalue where the residual is 0."""
        return np.sum(self.layer_scales(W) ** 2)


def norm(blocks):
    return np.sqrt(sum(np.vdot(b, b) for b in blocks))


def numerical_rank(singular_values, norm_Z):
    """How many directions of the target the product holds: above 1 % of ||Z||."""
    return int(np.sum(singular_values > 0.01 * norm_Z))


# ------------------------------------------------------------------- training


def semi_orthogonal(rng, rows, cols):
    q, _ = np.linalg.qr(rng.standard_normal((max(rows, cols), min(rows, cols))))
    return q if rows >= cols else np.ascontiguousarray(q.T)


def small_init(widths, scale, seed):
    """Each factor is `scale` times a random matrix with orthonormal rows or columns."""
    rng = np.random.default_rng(seed)
    return [scale * semi_orthogonal(rng, b, a) for a, b in zip(widths, widths[1:])]


def chebyshev_steps(largest, levels):
    """N = 2**levels step sizes for gradient descent near a minimum.

    The reciprocals of the Chebyshev nodes of [4 largest / N^2, largest], where
    `largest` bounds the eigenvalues of the Hessian (Richardson iteration). The
    error along an eigenvalue in the interval falls by a factor of 27 (about
    cosh 4) or more in one cycle; between 0 and the interval it falls by less.
    The order is that of Lebedev and Finogenov, which keeps rounding errors small.
    """
    order = [1]
    while len(order) < 2**levels:
        m = 2 * len(order)
        order = [i for j in order for i in (j, 2 * m - j)]
    angle = np.pi * np.array(order) / (2 * len(order))
    smallest = largest / 4.0 ** (levels - 1)
    return 1.0 / (0.5 * (largest + smallest) + 0.5 * (largest - smallest) * np.cos(angle))


class Run:
    """A trajectory with its log; `W` is the current state, `step` its number."""

    def __init__(self, title, problem, W):
        self.problem, self.W, self.step = problem, W, 0
        print(f"\n{title}")
        print(f"{'step':>9} {'loss':>17} {'grad norm':>10} rank  leading singular values, whitened")
        self.log()

    def log(self):
        q = self.problem
        s = np.linalg.svd(q.whitened(self.W), compute_uv=False)
        s = s[: min(w.shape[0] for w in self.W)]
        grad = norm(q.gradients(self.W))
        rank = numerical_rank(s, q.norm_Z)
        values = " ".join(f"{x:.3g}" if x > 1e-11 * s[0] else "0" for x in s)
        print(f"{self.step:9d} {q.loss(self.W):17.9f} {grad:10.3e} {rank:4d}  {values}", flush=True)

    def descend(self, steps):
        W, gradients = self.W, self.problem.gradients
        for s in steps:
            for w, g in zip(W, gradients(W)):
                w -= s * g
        self.step += len(steps)

    def descend_logged(self, size, steps, every):
        for _ in range(0, steps, every):
            self.descend([size] * every)
            self.log()

    def converge(self, cycles):
        """Cycles of Chebyshev steps; `cycles` holds pairs (levels, how many).

        X has a condition number of about 2500, and its square enters the
        Hessian, so a constant step would need some 10^9 of them. A cycle of N
        steps does the work of N^2 / 2 steps of constant size 1 / largest along
        flat directions. Cycles start short, as the curvature still changes; it
        is measured anew before each of them.
        """
        for levels, count in cycles:
            for _ in range(count):
                self.descend(chebyshev_steps(1.5 * self.problem.curvature(self.W), levels))
            self.log()

    def pass_plateau(self, size, rank, look, every):
        """Descend with the constant step `size` until the rank is above `rank`.

        Looks every `look` steps (a divisor of `every`, the interval of the
        log). Returns (step, weights) at the look where the gradient was
        smallest while the product had this numerical rank.
        """
        q, best, least = self.problem, None, np.inf
        while True:
            self.descend([size] * look)
            if self.step % every == 0:
                self.log()
            s = np.linalg.svd(q.whitened(self.W), compute_uv=False)
            now = numerical_rank(s, q.norm_Z)
            if now > rank:
                return best
            if now == rank and norm(q.gradients(self.W)) < least:
                least = norm(q.gradients(self.W))
                best = self.step, [w.copy() for w in self.W]


def save(name, problem, W, step, captured, dtype):
    """Write W1..Wh as (out, in) matrices; print the measurements of what was written."""
    W = [np.ascontiguousarray(w, dtype=dtype) for w in W]
    (HERE / f"{name}.safetensors").write_bytes(serialize({f"W{k}": w for k, w in enumerate(W, 1)}))
    W = [w.astype(float) for w in W]
    e, q = captured, problem
    print(f"{name}.safetensors  ({np.dtype(dtype).name}, step {step}, e = {e})")
    print(f"    distance to the saddle / ||Z||   {q.distance(W, e):.3e}")
    print(f"    relative gradient                {q.relative_gradient(W):.3e}")
    print(f"    loss                             {q.loss(W):.9f}")
    print(f"    critical value, difference       {q.critical_value(e):.9f}  {q.loss(W) - q.critical_value(e):+.3e}")
    for k, w in enumerate(W, 1):
        s = np.linalg.svd(w, compute_uv=False)
        if 0 < e < len(s):
            gap = f"ratio {s[e - 1] / s[e]:.1f}" if s[e] > 0 else "ratio infinite"
            print(f"    W{k}: singular value e {s[e - 1]:.4g}, e + 1 {s[e]:.4g}, {gap}")
        else:
            print(f"    W{k}: singular values {s[0]:.4g} to {s[-1]:.4g}")


def autoencoder(X):
    problem = Problem(X, X, split=2)
    size = 7e-8  # the curvature reaches 4 ||X||_2^2 = 1.92e7, and 2 / 1.92e7 is 1.04e-7
    run = Run("autoencoder 64-24-8-24-64", problem, small_init([64, 24, 8, 24, 64], 0.04, SEED))
    run.descend([size] * 100)
    save("early", problem, run.W, run.step, 0, np.float32)
    at, W = run.pass_plateau(size, rank=5, look=100, every=10_000)
    save("plateau", problem, W, at, 5, np.float32)
    run.pass_plateau(size, rank=7, look=100, every=10_000)
    run.descend_logged(size, 50_000, 10_000)
    run.converge([(10, 10), (12, 10), (14, 5)])
    save("converged", problem, run.W, run.step, 8, np.float64)


def classifier(X, Y):
    problem = Problem(X, Y, split=1)
    size = 4e-6

    run = Run("classifier 64-6-10", problem, small_init([64, 6, 10], 1e-8, SEED))
    run.descend([size] * 20)
    save("classifier-early", problem, run.W, run.step, 0, np.float32)
    at, W = run.pass_plateau(size, rank=4, look=5, every=100)
    save("classifier-passing", problem, W, at, 4, np.float32)
    run.descend_logged(size, 20_000, 5_000)
    run.converge([(7, 300), (9, 100), (10, 40), (11, 20), (12, 10), (13, 6), (14, 5)])
    save("classifier-converged", problem, run.W, run.step, 6, np.float64)

    # A unit whose weights are zero on both sides has gradient zero and stays dead.
    W = small_init([64, 6, 10], 1e-8, SEED)
    W[0][4:, :] = 0.0
    W[1][:, 4:] = 0.0
    run = Run("classifier 64-6-10, hidden units 5 and 6 dead from the start", problem, W)
    run.descend_logged(size, 20_000, 5_000)
    run.converge([(7, 300), (9, 100), (10, 20)])
    save("classifier-plateau", problem, run.W, run.step, 4, np.float32)


def main():
    start = time.perf_counter()
    digits = load_digits()
    X = digits.data.astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    Y = np.eye(10, dtype=np.uint8)[labels]
    if not np.array_equal(X, digits.data):
        raise SystemExit("load_digits: pixel values are not small integers")
    np.savez_compressed(HERE / "digits.npz", X=X, Y=Y, labels=labels)
    autoencoder(X.T.astype(float))
    middle = time.perf_counter()
    classifier(X.T.astype(float), Y.T.astype(float))
    end = time.perf_counter()
    print(f"\nseconds: autoencoder {middle - start:.0f}, classifier {end - middle:.0f}")


if __name__ == "__main__":
    main()
