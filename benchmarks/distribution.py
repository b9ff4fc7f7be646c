"""Builds the distribution, installs its core outside the checkout, uses it, and prints megabytes and seconds.

    python -m benchmarks.distribution [wheel | sdist ...] [--keep FOLDER]

Wheel and source distribution are built in clean environments, as a package index would get them. Each is installed
without extras into a new environment, which draws faces, verifies, enrols and identifies with the packaged model.
Exits with 1 where an answer is wrong, a package of an extra was installed, or more was installed than meant. The
seconds of a verification are printed beside the aim and decide nothing: they depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Timing, timed
from likeness.extras import EXTRAS

ROOT = Path(__file__).parents[1]
KINDS = {"wheel": "*.whl", "sdist": "*.tar.gz"}
MOST_MEGABYTES = 400
AIMED_SECONDS = 0.5
_REPEATS = 5
_OWN = ("pip", "setuptools", "pkg_resources", "_distutils_hack")  # what a new environment holds already

DRAW = """
from pathlib import Path
from drawnfaces.portrait import draw_photographs
for person, name in enumerate(("ada", "ben")):
    for number, content in enumerate(draw_photographs(7, [(person, 2)])):
        Path(f"{name}{number}.jpg").write_bytes(content)
"""
IMPORTED = """
import importlib.util
print(*[name for name in {names} if importlib.util.find_spec(name)])
"""


def run(command: Sequence[str | Path], folder: Path, expected: int = 0) -> tuple[str, Timing]:
    """Output and seconds of a command outside the checkout, without the variables that would lead back to it.

    Raises:
        SystemExit: it ends with another exit code.
    """
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LIKENESS_MODEL", "LIKENESS_GALLERY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    words = list(map(str, command))
    done, took = timed(lambda: subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True))
    if done.returncode != expected:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout}{done.stderr}exit code {done.returncode}")
    return done.stdout, took


def installed(archive: Path, folder: Path) -> Path:
    """Installs a distribution without extras into a new environment; returns the folder of its programs."""
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    _, took = run([programs / "python", "-m", "pip", "install", "-q", archive], folder)
    print(f"installed {archive.name} in {took.clock:.0f} s: {megabytes(folder):.0f} MB of packages")
    return programs


def megabytes(environment: Path) -> float:
    """Size of what was installed into an environment, without what a new one holds."""
    (packages,) = environment.glob("lib/python*/site-packages")
    kept = [entry for entry in packages.iterdir() if not entry.name.startswith(_OWN)]
    return (
        sum(file.stat().st_size for entry in kept for file in (entry, *entry.rglob("*")) if file.is_file()) / 1e6
    )


def extras_in(programs: Path, folder: Path) -> list[str]:
    """Packages of extras that can be imported, of which there should be none."""
    names = [name for packages in EXTRAS.values() for name in packages]
    return run([programs / "python", "-c", IMPORTED.format(names=names)], folder)[0].split()


def use(programs: Path, folder: Path) -> None:
    """Draws, verifies, enrols and identifies; prints the seconds of the fastest of some verifications.

    Raises:
        SystemExit: a command fails or its answer is wrong.
    """
    run([programs / "python", "-c", DRAW], folder)
    likeness = programs / "likeness"
    verifications = [run([likeness, "verify", "ada0.jpg", "ada0.jpg"], folder) for _ in range(_REPEATS)]
    run([likeness, "verify", "ada0.jpg", "ben0.jpg", "--threshold", "1.1"], folder, expected=1)
    run([likeness, "enroll", "ada", "ada0.jpg", "ada1.jpg", "--force"], folder)
    run([likeness, "enroll", "ben", "ben0.jpg"], folder)
    identified, _ = run([likeness, "identify", "ben0.jpg"], folder)
    verified, took = min(verifications, key=lambda each: each[1].processor)
    print(f"{verified}identify: {identified.splitlines()[0]}")
    print(
        f"verify: {took.clock:.2f} s, {took.processor:.2f} s of the processor (fastest of {_REPEATS}; "
        f"{AIMED_SECONDS} s are aimed at)"
    )
    if "model packaged" not in verified or not identified.startswith("ben"):
        raise SystemExit("the packaged model was not used, or identify named somebody else")


def check(archive: Path, scratch: Path) -> list[str]:
    """Installs and uses one distribution; returns what is wrong with it."""
    folder = scratch / f"use-{archive.suffix.lstrip('.')}"
    folder.mkdir()
    programs = installed(archive, folder / "environment")
    use(programs, folder)
    size, extras = megabytes(programs.parent), extras_in(programs, folder)
    return [
        *([f"{size:.0f} MB installed, at most {MOST_MEGABYTES} are meant"] if size > MOST_MEGABYTES else []),
        *([f"the core brings packages of extras: {', '.join(extras)}"] if extras else []),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Builds and checks; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distribution")
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; default: all")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where both go if nothing is wrong")
    arguments = parser.parse_args(argv)
    kinds = arguments.kinds or list(KINDS)
    if unknown := set(kinds) - KINDS.keys():
        parser.error(f"expected {' or '.join(KINDS)}, found {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _, took = run([sys.executable, "-m", "build", "-q", "--outdir", folder / "dist", ROOT], folder)
        print(f"built in {took.clock:.0f} s")
        problems = []
        for kind in kinds:
            (archive,) = (folder / "dist").glob(KINDS[kind])
            print(f"\n{kind}: {archive.stat().st_size / 1e6:.1f} MB")
            problems += [f"{kind}: {problem}" for problem in check(archive, folder)]
        if arguments.keep and not problems:
            shutil.copytree(folder / "dist", arguments.keep, dirs_exist_ok=True)
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
