"""The virtual environment of the benchmarks, below target/."""

import os
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "target" / "venv-bench"


def enter_environment(packages, **variables):
    """Runs this script again with the interpreter of the environment.

    `packages` maps modules to what is installed; `variables` are set in the process environment.
    """
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    if pathlib.Path(sys.prefix) == ENVIRONMENT:
        return
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    if subprocess.run([python, "-c", f"import {', '.join(packages)}"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages.values()], check=True)
    sys.exit(subprocess.run([python, *sys.argv], env=dict(os.environ, **variables)).returncode)
