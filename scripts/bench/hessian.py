"""Hessians of linear networks: Rankscape beside NumPy, SciPy and JAX.

    python scripts/bench/hessian.py [--skip-dense] [--output FILE]

At a global minimum of widths 50-30-20-30-50, 200-64-200 and 784-256-64-10: index, nullity and both ends of the spectrum
against dense eigenvalues (NumPy, first size) and a Krylov method (SciPy's eigsh on a Hessian-vector product in NumPy),
whose smallest eigenvalue there is wrong: it is 0. At a general point: one Hessian-vector product against JAX's compiled
one on the same compressed data. Makes its own virtual environment below target/.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import time

from environment import ROOT, enter_environment

UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
SIZES = [(50, 30, 20, 30, 50), (200, 64, 200), (784, 256, 64, 10)]
# At a minimum a tighter tolerance only makes eigsh run out of restarts.
TOLERANCE = 1e-3


def seconds_of_rankscape(saved):
    """Median and shortest seconds by benchmark and size, from a run or from what a run printed into a file."""
    if saved:
        output = pathlib.Path(saved).read_text()
    else:
        command = ["cargo", "bench", "-q", "-p", "rankscape", "--bench", "hessian"]
        output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found, name, size = {}, None, None
    for line in output.splitlines():
        heading, row = re.match(r"[├╰]─ (\w+)", line), re.match(r"[│ ]+[├╰]─ (\d)\s", line)
        if heading:
            name = heading.group(1)
        if row:
            size = int(row.group(1))
        times = [float(value) * UNITS[unit] for value, unit in re.findall(r"([\d.]+) (ns|µs|ms|s)\b", line)]
        if name and size is not None and len(times) == 4:
            found[name, size] = times[2]
            found[name + " best", size] = times[0]
    return found


def problem(numpy, widths, seed=0):
    """Compressed data: X is triangular of size d_0, Y has as many columns, as a QR factorization of samples leaves them."""
    generator = numpy.random.default_rng(seed)
    inputs, outputs = widths[0], widths[-1]
    samples = generator.standard_normal((2 * inputs, inputs + outputs))
    r = numpy.linalg.qr(samples, mode="r")
    return numpy.ascontiguousarray(r[:inputs, :inputs].T), numpy.ascontiguousarray(r[:inputs, inputs:].T)


def minimum(numpy, widths, x, y):
    """A global minimum: the best approximation of the whitened target, in embedded identities."""
    rank = min(widths)
    u, s, vt = numpy.linalg.svd(x)
    left, values, right = numpy.linalg.svd(y @ vt.T, full_matrices=False)
    roots = numpy.sqrt(values[:rank])
    first = (roots[:, None] * right[:rank]) @ (u / s).T
    last = left[:, :rank] * roots
    layers = []
    for k, (cols, rows) in enumerate(zip(widths[:-1], widths[1:])):
        block = first if k == 0 else last if k == len(widths) - 2 else numpy.eye(rank)
        layer = numpy.zeros((rows, cols))
        layer[: block.shape[0], : block.shape[1]] = block
        layers.append(layer)
    return layers


def hessian_vector_product(numpy, layers, x, y):
    """Forward and backward through the layers, and once more for the derivative."""
    forward = [x]
    for layer in layers:
        forward.append(layer @ forward[-1])
    backward = [forward[-1] - y]
    for layer in layers[:0:-1]:
        backward.append(layer.T @ backward[-1])
    backward.reverse()
    sizes = [layer.size for layer in layers]

    def apply(vector):
        parts = numpy.split(numpy.ravel(vector), numpy.cumsum(sizes)[:-1])
        steps = [part.reshape(layer.shape) for part, layer in zip(parts, layers)]
        moved = [steps[0] @ x]
        for k in range(1, len(layers)):
            moved.append(steps[k] @ forward[k] + layers[k] @ moved[-1])
        last, out = moved[-1], []
        for k in range(len(layers) - 1, -1, -1):
            block = last @ forward[k].T
            if k > 0:
                block += backward[k] @ moved[k - 1].T
                last = steps[k].T @ backward[k] + layers[k].T @ last
            out.append(block)
        return numpy.concatenate([block.ravel() for block in reversed(out)])

    return apply


def seconds_of_jax(numpy, layers, x, y, repeats=30):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(weights, x, y):
        product = x
        for weight in weights:
            product = weight @ product
        return 0.5 * jnp.sum((product - y) ** 2)

    @jax.jit
    def apply(weights, direction, x, y):
        return jax.jvp(lambda w: jax.grad(loss)(w, x, y), (weights,), (direction,))[1]

    generator = numpy.random.default_rng(1)
    weights = [jnp.asarray(layer) for layer in layers]
    direction = [jnp.asarray(generator.standard_normal(layer.shape)) for layer in layers]
    x, y = jnp.asarray(x), jnp.asarray(y)
    jax.block_until_ready(apply(weights, direction, x, y))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(apply(weights, direction, x, y))
        times.append(time.perf_counter() - start)
    return statistics.median(times), min(times)


def dense_seconds(numpy, apply, size):
    start = time.perf_counter()
    matrix = numpy.stack([apply(row) for row in numpy.eye(size)])
    values = numpy.linalg.eigvalsh(matrix)
    return time.perf_counter() - start, values


def krylov(scipy_linalg, apply, size, which, restarts):
    operator = scipy_linalg.LinearOperator((size, size), matvec=apply, dtype=float)
    start = time.perf_counter()
    try:
        value = scipy_linalg.eigsh(operator, k=1, which=which, maxiter=restarts, tol=TOLERANCE, return_eigenvectors=False)[0]
    except scipy_linalg.ArpackNoConvergence:
        value = None
    return time.perf_counter() - start, value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--restarts", type=int, default=100, help="restarts that eigsh is given")
    parser.add_argument("--output", metavar="FILE", help="what `cargo bench --bench hessian` printed, instead of a run")
    parser.add_argument("--skip-dense", action="store_true", help="leave out the dense eigenvalues of the first size")
    options = parser.parse_args()
    enter_environment({"numpy": "numpy", "scipy": "scipy", "jax": "jax[cpu]"})
    import numpy
    import scipy.sparse.linalg as scipy_linalg

    ours = seconds_of_rankscape(options.output)
    for at, widths in enumerate(SIZES):
        size = sum(rows * cols for cols, rows in zip(widths[:-1], widths[1:]))
        print(f"{'-'.join(map(str, widths))}: {size} parameters")
        x, y = problem(numpy, widths)
        layers = minimum(numpy, widths, x, y)
        apply = hessian_vector_product(numpy, layers, x, y)
        both = ours["minimum", at]
        saddle = ours.get(("saddle", at), float("nan"))
        print(f"  Rankscape: index and nullity {ours['inertia', at]:.4f} s, with both ends {both:.4f} s, "
              f"at a saddle {saddle:.4f} s")
        if at == 0 and not options.skip_dense:
            seconds, values = dense_seconds(numpy, apply, size)
            print(f"  NumPy dense: {seconds:.2f} s, smallest {values[0]:.2e}; "
                  f"ratio {seconds / both:.0f}, for the signs alone {seconds / ours['inertia', at]:.0f}")
        low, value = krylov(scipy_linalg, apply, size, "SA", options.restarts)
        high, _ = krylov(scipy_linalg, apply, size, "LA", options.restarts)
        said = "does not converge" if value is None else f"says {value:.6g}"
        print(f"  SciPy eigsh: {low + high:.2f} s; smallest eigenvalue is 0, eigsh {said}; ratio {(low + high) / both:.1f}")
        generator = numpy.random.default_rng(2)
        general = [generator.standard_normal(layer.shape) for layer in layers]
        median, best = seconds_of_jax(numpy, general, x, y)
        print(f"  Hessian times a vector, median (best): Rankscape {ours['product', at] * 1e3:.3f} "
              f"({ours['product best', at] * 1e3:.3f}) ms, JAX {median * 1e3:.3f} ({best * 1e3:.3f}) ms; "
              f"ratio {median / ours['product', at]:.2f} ({best / ours['product best', at]:.2f})")


if __name__ == "__main__":
    main()
