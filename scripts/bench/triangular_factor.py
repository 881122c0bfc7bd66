"""Triangular factor of 60,000 x 794 doubles: Rankscape beside NumPy in one run, and the memory of a streamed file.

    python scripts/bench/triangular_factor.py [--rounds 3]

Makes its own virtual environment below target/. The two programs take turns, so a busy machine slows both.
"""

import argparse
import re
import statistics
import subprocess
import tempfile
import time

from environment import ROOT, enter_environment

SAMPLES, INPUTS, OUTPUTS, THREADS = 60_000, 784, 10, 2


def seconds_of_rankscape():
    command = ["cargo", "bench", "-q", "-p", "rankscape", "--bench", "triangular_factor", "--",
               "samples_60000_x_794", "--sample-count", "1"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = re.search(rf"─ {THREADS}\s+([\d.]+) (ms|s)\b", output)
    return float(found[1]) * (1e-3 if found[2] == "ms" else 1.0)


def seconds_of_numpy(numpy, matrix):
    start = time.perf_counter()
    numpy.linalg.qr(matrix, mode="r")
    return time.perf_counter() - start


def compare(numpy, rounds):
    matrix = numpy.random.default_rng(0).standard_normal((SAMPLES, INPUTS + OUTPUTS))
    seconds_of_rankscape()
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(seconds_of_numpy(numpy, matrix))
        ours.append(seconds_of_rankscape())
    print(f"triangular factor of {SAMPLES} x {INPUTS + OUTPUTS}, {THREADS} threads, {rounds} rounds")
    for name, times in (("NumPy " + numpy.__version__, theirs), ("Rankscape", ours)):
        print(f"  {name:16} median {statistics.median(times):6.2f} s   best {min(times):6.2f} s")
    print(f"  NumPy / Rankscape: median {statistics.median(theirs) / statistics.median(ours):.2f}, "
          f"best {min(theirs) / min(ours):.2f}")


def memory(numpy):
    subprocess.run(["cargo", "build", "-q", "--release", "-p", "rankscape", "--example", "factor_of_file"],
                   cwd=ROOT, check=True)
    program = ROOT / "target" / "release" / "examples" / "factor_of_file"
    print("streamed from X.npy,Y.npy:")
    for samples in (SAMPLES // 4, SAMPLES, 2 * SAMPLES):
        with tempfile.TemporaryDirectory(dir=ROOT / "target") as folder:
            size = 0
            for name, cols in (("X", INPUTS), ("Y", OUTPUTS)):
                array = numpy.lib.format.open_memmap(
                    f"{folder}/{name}.npy", mode="w+", dtype="<f8", shape=(samples, cols))
                generator = numpy.random.default_rng(1)
                for start in range(0, samples, 4096):
                    array[start:start + 4096] = generator.standard_normal((len(array[start:start + 4096]), cols))
                size += array.nbytes
                del array
            spec = f"{folder}/X.npy,{folder}/Y.npy"
            output = subprocess.run([program, spec, str(THREADS)], check=True, capture_output=True, text=True).stdout
        found = dict(line.rsplit(" ", 2 if line.endswith("kB") else 1)[:2] for line in output.splitlines())
        print(f"  {samples:7} samples, {size / 2**20:6.0f} MiB: {found['seconds']} s, "
              f"peak memory {int(found['peak memory']) / 1024:.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    enter_environment({"numpy": "numpy"}, OPENBLAS_NUM_THREADS=str(THREADS), OMP_NUM_THREADS=str(THREADS))
    import numpy
    compare(numpy, options.rounds)
    memory(numpy)


if __name__ == "__main__":
    main()
