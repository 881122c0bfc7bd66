"""All critical points of 3 x 3 rank-one problems: Rankscape beside msolve and PHCpack, where they are on PATH.

    python scripts/bench/quadratic.py [--rounds 5] [--binary target/release/rankscape] [--msolve msolve] [--phc phc]

The programs take turns on one target after another with one thread each, so a busy machine slows all. Times are of whole
processes. Rankscape certifies every point and its index; the peers solve the equations in an affine chart.
"""

import argparse
import json
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["a", "b", "c", "d", "e"]
EXPECTED = 39


def instance(generator):
    draw = lambda count: [generator.randint(-10, 10) for _ in range(count)]
    return {"id": "bench", "m": 3, "n": 3, "r": 1, "phi": draw(81), "q": draw(9)}


def add(p, q, factor=1):
    out = dict(p)
    for monomial, value in q.items():
        out[monomial] = out.get(monomial, 0) + factor * value
    return out


def times(p, q):
    out = {}
    for s, a in p.items():
        for t, b in q.items():
            key = tuple(x + y for x, y in zip(s, t))
            out[key] = out.get(key, 0) + a * b
    return out


def derivative(p, k):
    lower = lambda s: tuple(e - (i == k) for i, e in enumerate(s))
    return {lower(s): s[k] * a for s, a in p.items() if s[k]}


def equations(problem):
    """The gradient of h on W = (1, a, b)' (c, d, e), as text."""
    unit = lambda *which: tuple(which.count(k) for k in range(5))
    rows, cols = [{unit(): 1}, {unit(0): 1}, {unit(1): 1}], [{unit(k): 1} for k in (2, 3, 4)]
    entries = [times(x, y) for x in rows for y in cols]
    off = [add(w, {unit(): -q}) for w, q in zip(entries, problem["q"])]
    loss = {}
    for k in range(9):
        row = {}
        for factor, entry in zip(problem["phi"][9 * k : 9 * k + 9], off):
            row = add(row, entry, factor)
        loss = add(loss, times(row, row))
    text = lambda s: "".join(f"*{name}^{e}" for name, e in zip(NAMES, s) if e)
    join = lambda p: "".join(f"{value:+d}{text(s)}" for s, value in sorted(p.items()) if value)
    # msolve does not read a polynomial that begins with a plus sign.
    return [join(derivative(loss, k)).removeprefix("+") for k in range(5)]


def timed(command):
    start = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return time.perf_counter() - start, done


def failure(name, done):
    return f"{name} ended with return code {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}"


def run_rankscape(binary, folder, problem):
    (folder / "i.jsonl").write_text(json.dumps(problem))
    seconds, done = timed([binary, "solve", "--instances", folder / "i.jsonl", "--threads", "1", "--json"])
    assert done.returncode == 0, failure("rankscape", done)
    found = json.loads(done.stdout)["instances"][0]
    assert found["certified"] and found["n_complex"] == EXPECTED, found["reason"]
    return seconds, found["n_real"]


def run_msolve(binary, folder, problem):
    (folder / "in.ms").write_text(",".join(NAMES) + "\n0\n" + ",\n".join(equations(problem)) + "\n")
    seconds, done = timed([binary, "-f", folder / "in.ms", "-o", folder / "out.ms", "-t", "1"])
    assert done.returncode == 0, failure("msolve", done)
    answer = re.sub(r"\s", "", (folder / "out.ms").read_text())
    # The first entry is the dimension of the set of solutions; then every real solution is a list of five intervals.
    assert answer.startswith("[0,"), f"{failure('msolve', done)}; not of dimension zero: {answer[:80]}"
    return seconds, len(re.findall(r"\[\[", answer)) or None


def run_phc(binary, folder, problem):
    (folder / "in.phc").write_text("5\n" + "".join(line + ";\n" for line in equations(problem)))
    out = folder / "out.phc"
    out.unlink(missing_ok=True)
    seconds, done = timed([binary, "-b", folder / "in.phc", out])
    assert done.returncode == 0, failure("phc", done)
    return seconds, out.read_text().count("= real regular ==")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--binary", default=str(ROOT / "target" / "release" / "rankscape"))
    parser.add_argument("--msolve", default="msolve")
    parser.add_argument("--phc", default="phc")
    options = parser.parse_args()
    runners = {"Rankscape": (options.binary, run_rankscape)}
    for name, program, runner in (("msolve", options.msolve, run_msolve), ("PHCpack", options.phc, run_phc)):
        if shutil.which(program):
            runners[name] = (program, runner)
        else:
            print(f"skipped: {name} is not on PATH")
    generator, times_of = random.Random(0), {name: [] for name in runners}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            problem, counts = instance(generator), set()
            for name, (program, runner) in runners.items():
                seconds, real = runner(program, pathlib.Path(folder), problem)
                times_of[name].append(seconds)
                print(f"  {name:10} {seconds * 1e3:9.1f} ms, {real} real")
                counts.add(real)
            if len(counts - {None}) > 1:
                print(f"  the numbers of real critical points differ: {sorted(counts - {None})}")
    print(f"3 x 3, rank one, {EXPECTED} complex critical points, {options.rounds} targets")
    for name, times_seen in times_of.items():
        print(f"  {name:10} median {statistics.median(times_seen) * 1e3:9.1f} ms   best {min(times_seen) * 1e3:9.1f} ms")


if __name__ == "__main__":
    main()
