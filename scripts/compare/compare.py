"""Two builds of the command beside each other: every verb on every example, oracle and certificate.

    python scripts/compare/compare.py BASE NEW [--only PREFIX] [--jobs N]

BASE and NEW are binaries, or commits, which are built in a worktree below target/. Each command runs once with each
binary, in folders of its own that hold the same files. Equal must be: exit code, standard output, standard error, and
every file that is written, byte for byte, where a document's field `run` is left out. Certificates that BASE wrote and
accepts must be accepted by NEW. Prints every difference and ends with their number; exit code 1 if there is one.
"""

import argparse
import concurrent.futures
import difflib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORACLES = ROOT / "oracles"


def build(commit):
    """The release binary of a commit, from a worktree that is kept."""
    folder = ROOT / "target" / "compare" / commit
    if not folder.exists():
        subprocess.run(["git", "worktree", "add", "--detach", folder, commit], cwd=ROOT, check=True)
    subprocess.run(["cargo", "build", "--release", "-p", "rankscape-cli"], cwd=folder, check=True)
    return folder / "target" / "release" / "rankscape"


def binary(name):
    path = pathlib.Path(name)
    return path.resolve() if path.is_file() else build(name)


class Case:
    """Files, and commands that run one after the other in their folder."""

    def __init__(self, name, commands, files=(), links=()):
        self.name, self.commands, self.files, self.links = name, commands, dict(files), dict(links)

    def lay(self, folder):
        folder.mkdir(parents=True)
        for name, text in self.files.items():
            (folder / name).write_text(text)
        for name, path in self.links.items():
            target = folder / name
            shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def of_point(point):
    """Every verb about weights with data; `point` are the options that name both."""
    weights = point[point.index("--weights") :][:2] if "--weights" in point else None
    yield ["diagnose", *point]
    yield ["diagnose", *point, "--details"]
    yield ["diagnose", *point, "--json", "--certificate", "certificate.json"]
    yield ["verify", "certificate.json", "--json"]
    yield ["diagnose", *point, "--json", "--normalization", "mean", "--learning-rate", "1e-3"]
    yield ["diagnose", *point, "--json", "--leave", "left.safetensors"]
    yield ["diagnose", *point, "--json", "--near", "near.safetensors"]
    yield ["hessian", *point, "--json"]
    yield ["hessian", *point, "--part", "gauss-newton", "--json"]
    yield ["parse", *point, "--json"]
    yield ["escape", *point, "--json"]
    yield ["escape", *point, "--ascent", "--json"]
    yield ["escape", *point, "--same-function", "--json"]
    yield ["critical", *point, "--json"]
    yield ["critical", *point]
    yield ["critical", *point, "--strata", "--json"]
    yield ["critical", *point, "--construct", "--save", "made.safetensors", "--json"]
    if weights:
        yield from of_weights(weights)


def of_weights(weights):
    yield ["map", *weights, "--json"]
    yield ["map", *weights]
    yield ["balance", *weights, "--json", "--save", "balanced.safetensors"]


def examples():
    for name in ["digits", "digits-early", "digits-converged"]:
        yield Case(f"example/{name}", list(of_point(["--example", name])))
    for name in ["classifier-plateau", "classifier-passing", "classifier-early", "classifier-converged"]:
        yield Case(f"example/{name}", list(of_point(["--example", f"digits-{name}"])))
    origin = ROOT / "examples" / "origin"
    point = ["--weights", "weights.json", "--target", "target.json"]
    yield Case("example/origin", list(of_point(point)), links={p.name: p for p in origin.glob("*.json")})
    adapter = [["adapter", "adapter", "--base", "base.safetensors", *more] for more in ([], ["--json"])]
    links = {"adapter": ROOT / "examples" / "adapter", "base.safetensors": ROOT / "examples/adapter/base.safetensors"}
    yield Case("example/adapter", adapter, links=links)


def landscape():
    point = ["--weights", "w.json", "--data", "d.json"]
    for case in jsonl(ORACLES / "landscape" / "landscape_cases.jsonl"):
        if case.get("kind") != "linear":
            continue
        columns = lambda rows: [list(column) for column in zip(*rows)]
        data = {"X": columns(case["X"]), "Y": columns(case["Y"])}
        floating = lambda value: [floating(v) for v in value] if isinstance(value, list) else float(value)
        for found in case["points"]:
            weights = {f"W{k}": matrix for k, matrix in enumerate(found["W"], 1)}
            for kind, turn in [("exact", lambda v: v), ("floating", floating)]:
                files = {"w.json": {k: turn(v) for k, v in weights.items()}, "d.json": {k: turn(v) for k, v in data.items()}}
                files = {name: json.dumps(content) for name, content in files.items()}
                yield Case(f"landscape/{case['id']}/{found['name']}/{kind}", list(of_point(point)), files)


def lift():
    for case in jsonl(ORACLES / "lift" / "lift_cases.jsonl"):
        if "factors" not in case:
            continue
        named = lambda matrices: json.dumps({f"W{k}": matrix for k, matrix in enumerate(matrices, 1)})
        moved = [[value + (0.5 if (i + j) % 2 else 0.25) for j, value in enumerate(row)] for i, row in enumerate(case["product"])]
        files = {"w.json": named(case["factors"]), "z.json": json.dumps(moved), "p.json": json.dumps(case["product"])}
        commands = list(of_weights(["--weights", "w.json"]))
        commands += [["reach", "--weights", "w.json", "--target", target, "--json"] for target in ("z.json", "p.json")]
        if "other_factors" in case:
            files["o.json"] = named(case["other_factors"])
            commands.append(["connect", "--weights", "w.json", "--to", "o.json", "--json", "--save", "path.json"])
        yield Case(f"lift/{case['id']}", commands, files)


def near():
    folder = ORACLES / "near"
    for case in jsonl(folder / "near_cases.jsonl"):
        weights = folder / case["weights"]
        point, links = ["--weights", "w.npz"], {"w.npz": weights}
        if case["target"]:
            point, links = [*point, "--target", "t.json"], {**links, "t.json": folder / case["target"]}
        else:
            point, links = [*point, "--data", "d.npz"], {**links, "d.npz": folder / case["data"]}
            point += ["--task", case["task"]]
        commands = [
            ["diagnose", *point, "--json", "--certificate", "certificate.json"],
            ["verify", "certificate.json", "--json"],
            ["diagnose", *point],
        ]
        yield Case(f"near/{case['id']}", commands, links=links)


def weights():
    for data in sorted((ORACLES / "weights").glob("*-data.npz")):
        name = data.name.removesuffix("-data.npz")
        links = {"w.safetensors": data.with_name(f"{name}.safetensors"), "d.npz": data}
        point = ["--weights", "w.safetensors", "--data", "d.npz"]
        yield Case(f"weights/{name}", list(of_point(point)), links=links)


def tables():
    folder = ORACLES / "tables"
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.parquet")]):
        yield Case(f"tables/{path.name}", [["critical", "--data", path.name, "--widths", "3,2,2", "--json"]], links={path.name: path})


def adapters():
    for path in sorted((ORACLES / "adapters").glob("*/case.json")):
        case = json.loads(path.read_text())
        links = {"a": path.parent / case["adapter"], "base.safetensors": path.parent / "base.safetensors"}
        links = {name: link for name, link in links.items() if link.exists()}
        base = ["--base", "base.safetensors"] if "base.safetensors" in links else []
        commands = [["adapter", "a", "--json"], ["adapter", "a", *base], ["adapter", "a", *base, "--json"]]
        commands.append(["adapter", "a", "--balance", "--save", "balanced", "--json"])
        yield Case(f"adapters/{path.parent.name}", commands, links=links)


def quadratic():
    for path in sorted((ORACLES / "weighted").glob("*.jsonl")):
        links = {"i.jsonl": path}
        commands = [["solve", "--instances", "i.jsonl", "--json"], ["solve", "--instances", "i.jsonl", "--dry-run"]]
        yield Case(f"quadratic/{path.stem}", commands, links=links)
    first = jsonl(ORACLES / "weighted" / "weighted_rank1_2x3.jsonl")[0]
    files = {
        "i.jsonl": json.dumps(first) + "\n",
        "w.json": json.dumps([[1, 2, 1], [3, 1, 1]]),
        "a.json": json.dumps([[1, 2, 3], [4, 5, 7]]),
        "b.json": json.dumps([[0, 1, 1], [2, 0, 5]]),
    }
    size = ["--rows", "2", "--cols", "3", "--rank", "1"]
    commands = [
        ["ed", *size],
        ["ed", *size, "--json"],
        ["ed", *size, "--weights", "w.json", "--json"],
        ["solve", "--instances", "i.jsonl", "--start", "start", "--json"],
        ["solve", "--instances", "i.jsonl", "--start", "start"],
        ["solve", "--instances", "i.jsonl", "--segment", "a.json", "b.json", "--json"],
        ["sweep", "plan", "--dir", "sweep", *size, "--instances", "40", "--shards", "2", "--json"],
        ["sweep", "run", "--dir", "sweep", "--shard", "0/2"],
        ["sweep", "status", "--dir", "sweep", "--json"],
        ["sweep", "run", "--dir", "sweep", "--json"],
        ["sweep", "merge", "--dir", "sweep"],
    ]
    yield Case("quadratic/one", commands, files)


def bad():
    """Bad usage and bad input: message for message."""
    files = {
        "w.json": '{"W1": [[1, 2], [3, 4]], "W2": [[1, 2]]}',
        "twice.json": '{"W1": [[1]], "W1": [[2]]}',
        "ragged.json": '{"W1": [[1, 2], [3]]}',
        "text.json": '{"W1": [["a"]]}',
        "empty.json": "",
        "huge.json": '{"W1": [[1e999]]}',
        "d.json": '{"X": [[1, 0], [0, 1]], "Y": [[1], [2]]}',
        "wide.json": '{"X": [[1, 0, 2]], "Y": [[1]]}',
        "t.json": "[[1, 2]]",
        "metric.json": "[[-1]]",
        "no.npz": "PK",
        "i.jsonl": '{"id": "a", "m": 2, "n": 2, "r": 3, "q": [1, 2, 3, 4]}\n',
        "bad.csv": "x1,y1\n1,a\n",
        "certificate.json": '{"schema": "rankscape.certificate/9"}',
    }
    point = ["--weights", "w.json", "--target", "t.json"]
    commands = [
        [],
        ["diagnose"],
        ["diagnose", "--weights", "w.json"],
        ["diagnose", "--weights", "none.json", "--target", "t.json"],
        *[["diagnose", "--weights", name, "--target", "t.json"] for name in files if name.endswith(".json")],
        ["diagnose", "--weights", "no.npz", "--target", "t.json"],
        ["diagnose", "--weights", "w.json", "--data", "wide.json"],
        ["diagnose", "--weights", "w.json", "--data", "bad.csv"],
        ["diagnose", *point, "--output-metric", "metric.json"],
        ["diagnose", *point, "--tolerance", "rank"],
        ["diagnose", *point, "--tolerance", "none=1"],
        ["diagnose", *point, "--tolerance", "rank=-1"],
        ["diagnose", *point, "--x", "a"],
        ["diagnose", *point, "--force"],
        ["diagnose", *point, "--leave", "w.json"],
        ["diagnose", *point, "--leave", "out.pt"],
        ["diagnose", *point, "--to", "minimum"],
        ["diagnose", "--example", "none"],
        ["diagnose", *point, "--task", "autoencoder"],
        ["diagnose", *point, "--layers", "W2,W1"],
        ["diagnose", *point, "--layers", "W9"],
        ["critical", "--data", "d.json", "--widths", "2,0,1"],
        ["critical", "--data", "d.json", "--widths", "2,1", "--captured", "9", "--strata"],
        ["critical", "--data", "d.json", "--widths", "3,1"],
        ["parse", "--weights", "w.json", "--data", "d.json"],
        ["connect", "--weights", "w.json", "--to", "ragged.json"],
        ["reach", "--weights", "w.json", "--target", "metric.json"],
        ["verify", "certificate.json"],
        ["verify", "w.json"],
        ["solve", "--instances", "i.jsonl"],
        ["solve", "--instances", "empty.json"],
        ["ed", "--rows", "2", "--cols", "2", "--rank", "5"],
        ["sweep", "status", "--dir", "nowhere"],
        ["adapter", "nowhere"],
        ["adapter", "w.json"],
    ]
    yield Case("bad/text", commands, files)
    yield Case("bad/json", [[*command, "--json"] for command in commands if command], files)


GROUPS = [examples, landscape, lift, near, weights, tables, adapters, quadratic, bad]


def without_run(text):
    """A document without its field `run`, which holds times."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if isinstance(document, dict) and isinstance(document.get("run"), dict):
        return json.dumps({key: value for key, value in document.items() if key != "run"}, indent=1)
    return text


def outcome(command, program, folder):
    done = subprocess.run([program, *command], cwd=folder, capture_output=True, text=True, errors="surrogateescape")
    seconds = re.compile(r"in \d+(\.\d+)? (ms|s)\b")
    return {
        "exit": str(done.returncode),
        "stdout": without_run(seconds.sub("in some time", done.stdout)),
        "stderr": done.stderr.replace(str(folder), "."),
    }


def written(folder):
    """Every file below, documents without `run`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            content = path.read_bytes()
            found[name] = without_run(content.decode()) if name.endswith(".json") else content.hex()
    return found


def differences(case, base, new, folder):
    """The differences of a case, and the number of commands."""
    found, sides = [], [(folder / "base", base), (folder / "new", new)]
    for place, _ in sides:
        case.lay(place)
    for command in case.commands:
        one, other = (outcome(command, program, place) for place, program in sides)
        for key in one:
            if one[key] != other[key]:
                lines = difflib.unified_diff(one[key].splitlines(), other[key].splitlines(), "base", "new", n=0, lineterm="")
                found.append(f"{case.name}: {' '.join(command)}: {key}\n" + "\n".join(list(lines)[:40]))
        if one["exit"] == "0" and "--certificate" in command:
            check = outcome(["verify", str(folder / "base" / "certificate.json")], new, folder)
            own = outcome(["verify", str(folder / "base" / "certificate.json")], base, folder)
            if own["exit"] == "0" and check["exit"] != "0":
                found.append(f"{case.name}: a certificate of the base line is not accepted: {check['stdout']}")
            # The next certificate of this case has the same name.
    one, other = (written(place) for place, _ in sides)
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            found.append(f"{case.name}: the file {name} differs")
    shutil.rmtree(folder)
    return found, len(case.commands)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("new")
    parser.add_argument("--only", default="", help="cases whose name begins with this")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    base, new = binary(arguments.base), binary(arguments.new)
    cases = [case for group in GROUPS for case in group() if case.name.startswith(arguments.only)]
    commands = different = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        folders = [pathlib.Path(folder) / str(at) for at in range(len(cases))]
        for found, count in pool.map(lambda pair: differences(pair[0], base, new, pair[1]), zip(cases, folders)):
            commands += count
            different += len(found)
            for text in found:
                print(text, flush=True)
    print(f"{len(cases)} cases, {commands} commands, {different} differences")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
