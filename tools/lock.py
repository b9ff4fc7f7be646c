"""Writes requirements.lock and requirements-cuda.lock: every tested version, with the digests of its files.

    python -m tools.lock [--upgrade]

uv resolves pyproject.toml for Python 3.11 and later on every platform, and lists the digests of all files of each
release. Versions that are locked already are kept, unless --upgrade is given. To the digests of torch and
torchvision it adds those of the files that this machine's pip installs, which may come from elsewhere than the
index: a CPU build has a digest of its own. The CUDA libraries, which only torch's build for GPUs needs, have a
file of their own, so that a machine without a GPU does not download them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from likeness.files import atomic_path

MAIN, CUDA = Path("requirements.lock"), Path("requirements-cuda.lock")
HEADS = {
    MAIN: "# Every tested version with the digests of its files. Written by `make lock`.\n",
    CUDA: "# What torch's build for GPUs needs besides. Written by `make lock`.\n",
}
BUILDS = ("torch", "torchvision")  # the packages that pip may be configured to take from elsewhere
_CUDA_NAME = re.compile(r"(nvidia|cuda)-|triton$")
_FIRST_LINE = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)")


def read_blocks(text: str) -> dict[str, str]:
    """Requirements of a lock by name; each with its lines of digests.

    Raises:
        ValueError: a line belongs to no requirement, or a name is listed twice.
    """
    blocks: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if found := _FIRST_LINE.match(line):
            name = found["name"]
            if name in blocks:
                raise ValueError(f"{name} is listed twice")
            blocks[name] = ""
        if line.startswith("#"):
            continue
        if not name:
            raise ValueError(f"expected NAME==VERSION, found {line.strip()!r}")
        blocks[name] += line
    return blocks


def version_of(block: str) -> str:
    """The pinned version of a requirement."""
    found = _FIRST_LINE.match(block)
    if found is None:
        raise ValueError(f"expected NAME==VERSION, found {block.splitlines()[:1]}")
    return found["version"]


def digests_of(block: str) -> set[str]:
    """SHA-256 digests of a requirement, in hexadecimal."""
    return set(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block))


def with_digests(block: str, digests: Iterable[str]) -> str:
    """The same requirement with further digests, sorted."""
    first = block.splitlines()[0].removesuffix("\\").rstrip()
    rows = [f"    --hash=sha256:{digest}" for digest in sorted(digests_of(block) | set(digests))]
    return " \\\n".join([first, *rows]) + "\n"


def resolve(kept: str, *, upgrade: bool) -> dict[str, str]:
    """What uv resolves from pyproject.toml; `kept` is the text of a lock whose versions it prefers."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.lock"
        out.write_text(kept, encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "dev", "--universal"]
        command += ["--python-version", "3.11", "--fork-strategy", "fewest", "--generate-hashes", "--no-annotate"]
        command += ["--no-header", "--quiet"]
        command += ["--output-file", str(out), *(["--upgrade"] if upgrade else [])]
        subprocess.run(command, check=True, env=os.environ | _index())
        return read_blocks(out.read_text(encoding="utf-8"))


def _index() -> dict[str, str]:
    """uv's setting of the index that pip is configured with; empty where that is the public one."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    url = os.environ.get("PIP_INDEX_URL") or subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return {"UV_DEFAULT_INDEX": url} if url else {}


def digests_from_pip(requirements: Sequence[str]) -> dict[str, str]:
    """SHA-256 by package name of the files that pip would install here."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    done = subprocess.run([*command, "--report", "-", *requirements], check=True, stdout=subprocess.PIPE)
    rows = json.loads(done.stdout)["install"]
    return {row["metadata"]["name"]: row["download_info"]["archive_info"]["hashes"]["sha256"] for row in rows}


def write_lock(path: Path, blocks: Iterable[str]) -> None:
    """Writes a lock in one step."""
    with atomic_path(path) as part:
        part.write_text(HEADS[path] + "".join(blocks), encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> None:
    """Writes both locks."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that are allowed")
    arguments = parser.parse_args(argv)
    kept = "".join(path.read_text(encoding="utf-8") for path in HEADS if path.exists())
    old, new = read_blocks(kept), resolve(kept, upgrade=arguments.upgrade)
    delivered = digests_from_pip([f"{name}=={version_of(new[name])}" for name in BUILDS])
    for name in BUILDS:
        same = name in old and version_of(old[name]) == version_of(new[name])
        new[name] = with_digests(new[name], {delivered[name], *(digests_of(old[name]) if same else ())})
    write_lock(MAIN, [block for name, block in new.items() if not _CUDA_NAME.match(name)])
    write_lock(CUDA, [block for name, block in new.items() if _CUDA_NAME.match(name)])


if __name__ == "__main__":
    main()
