"""Two layers of one unit, a convex loss, plain gradient descent, and a local minimum that is not global.

The loss is 1/2 sum M_ij (W_ij - Y_ij)^2 with positive weights M, and the target Y has rank one: the network can reach loss 0.
Writes weights.json, target.json and loss.json, and draws landscape.svg: the loss of the best matrix of each column
direction (angle a) and row direction (angle b), with the runs on it. Needs numpy.
"""

import json

import numpy as np

WEIGHTS = np.array([[2, 7], [8, 1]])
TARGET = np.array([[2, -2], [2, -2]])
STEP, STEPS = 0.01, 20_000


def loss(w):
    return 0.5 * np.sum(WEIGHTS * (w - TARGET) ** 2)


def train(seed, scale=1.0):
    """Gradient descent from a normal start: the path of the product, and where it ends."""
    start = np.random.default_rng(seed)
    right, left = scale * start.standard_normal((1, 2)), scale * start.standard_normal((2, 1))
    path = []
    for step in range(STEPS):
        if step % 2 == 0 and step < 800:
            path.append(left @ right)
        slope = WEIGHTS * (left @ right - TARGET)
        right, left = right - STEP * left.T @ slope, left - STEP * slope @ right.T
    return path, right, left


def angles(w):
    """The angles of the column and the row of a matrix near rank one, both in [0, pi)."""
    u, _, v = np.linalg.svd(w)
    return [np.arctan2(x[1], x[0]) % np.pi for x in (u[:, 0], v[0])]


def best_of_directions(a, b):
    """The smallest loss of s u(a) v(b)' over all s."""
    p = np.outer([np.cos(a), np.sin(a)], [np.cos(b), np.sin(b)])
    rest = np.sum(WEIGHTS * TARGET**2)
    return 0.5 * (rest - np.sum(WEIGHTS * TARGET * p) ** 2 / np.sum(WEIGHTS * p**2))


def draw(runs, cells=45, size=10):
    """The picture: dark is low; paths end in circles with their loss."""
    top = 0.5 * np.sum(WEIGHTS * TARGET**2)
    side = cells * size
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-46 -12 {side + 60} {side + 60}" font-family="sans-serif" font-size="13">']
    for i in range(cells):
        for j in range(cells):
            value = best_of_directions((i + 0.5) * np.pi / cells, (j + 0.5) * np.pi / cells) / top
            # Sixteen bands, so that level lines show.
            band = np.floor(16 * np.sqrt(max(value, 0))) / 16
            light = int(40 + 205 * band)
            parts.append(
                f'<rect x="{i * size}" y="{side - (j + 1) * size}" width="{size}" height="{size}" fill="rgb({light},{light},255)"/>'
            )
    colours = {True: "#b00020", False: "#1b5e20"}
    for path, right, left in runs:
        end = loss(left @ right)
        colour = colours[bool(end > 1)]
        points = np.array([angles(w) for w in path]) / np.pi * side
        # A line is cut where it leaves on one side and comes back on the other.
        cuts = np.where(np.abs(np.diff(points, axis=0)).max(axis=1) > side / 4)[0] + 1
        for piece in np.split(points, cuts):
            line = " ".join(f"{x:.1f},{side - y:.1f}" for x, y in piece)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-opacity="0.7"/>')
    for end in sorted({round(loss(left @ right), 4) for _, right, left in runs}):
        found = next((left @ right) for _, right, left in runs if round(loss(left @ right), 4) == end)
        x, y = np.array(angles(found)) / np.pi * side
        parts.append(f'<circle cx="{x:.1f}" cy="{side - y:.1f}" r="5" fill="white" stroke="black"/>')
        parts.append(f'<text x="{x + 8:.1f}" y="{side - y + 4:.1f}" fill="black">loss {end:.3g}</text>')
    parts.append(f'<text x="{side / 2 - 90}" y="{side + 24}">angle of the column, 0 to 180 degrees</text>')
    parts.append(f'<text transform="translate(-16 {side / 2 + 80}) rotate(-90)">angle of the row, 0 to 180 degrees</text>')
    return "\n".join(parts) + "\n</svg>\n"


def main():
    runs = [train(seed) for seed in range(24)]
    ends = [loss(left @ right) for _, right, left in runs]
    bad = max(range(24), key=lambda k: ends[k])
    _, right, left = runs[bad]
    print(f"{sum(end > 1 for end in ends)} of 24 runs end at loss {ends[bad]:.6f}, the others at {min(ends):.2g}")
    write = lambda name, value: open(name, "w").write(json.dumps(value) + "\n")
    write("weights.json", {"W1": right.tolist(), "W2": left.tolist()})
    write("target.json", {"Y": TARGET.tolist()})
    write("loss.json", {"kind": "quadratic", "weights": WEIGHTS.tolist()})
    open("landscape.svg", "w").write(draw(runs))


if __name__ == "__main__":
    main()
