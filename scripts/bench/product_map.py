"""Ranks and singular values of a product 4096 x 16 x 4096: Rankscape beside NumPy (two thin QR, SVD of the core).

    python scripts/bench/product_map.py [--rounds 5]

Makes its own virtual environment below target/. The two programs take turns, so a busy machine slows both.
"""

import argparse
import re
import statistics
import subprocess
import time

from environment import ROOT, enter_environment

WIDE, NARROW, REPEATS = 4096, 16, 50
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def seconds_of_rankscape():
    """Fastest and median time of a sample, as the benchmark prints them."""
    command = ["cargo", "bench", "-q", "-p", "rankscape", "--bench", "product_map", "--", "pair_4096_x_16_x_4096"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    line = next(line for line in output.splitlines() if "pair_4096" in line)
    numbers = [float(value) * UNITS[unit] for value, unit in re.findall(r"([\d.]+) (ns|µs|ms|s)\b", line)]
    return numbers[0], numbers[2]


def seconds_of_numpy(numpy, a, b):
    """The same question by thin QR factorizations of both factors and a decomposition of the core."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        _, left = numpy.linalg.qr(b)
        _, right = numpy.linalg.qr(a.T)
        _, values, _ = numpy.linalg.svd(left @ right.T)
        ranks = [numpy.linalg.matrix_rank(core) for core in (left, right)]
        times.append(time.perf_counter() - start)
        assert len(values) == NARROW and ranks == [NARROW, NARROW]
    return min(times), statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    enter_environment({"numpy": "numpy"})
    import numpy

    generator = numpy.random.default_rng(0)
    a, b = generator.standard_normal((NARROW, WIDE)), generator.standard_normal((WIDE, NARROW))
    seconds_of_rankscape()
    rounds = [(seconds_of_numpy(numpy, a, b), seconds_of_rankscape()) for _ in range(options.rounds)]
    best = [min(entry[who][0] for entry in rounds) for who in (0, 1)]
    median = [statistics.median(entry[who][1] for entry in rounds) for who in (0, 1)]
    print(f"ranks and singular values of a product {WIDE} x {NARROW} x {WIDE}, {options.rounds} rounds of {REPEATS}")
    for name, who in (("NumPy " + numpy.__version__, 0), ("Rankscape", 1)):
        print(f"  {name:16} median {median[who] * 1e3:6.2f} ms   best {best[who] * 1e3:6.2f} ms")
    print(f"  NumPy / Rankscape: median {median[0] / median[1]:.2f}, best {best[0] / best[1]:.2f}")


if __name__ == "__main__":
    main()
