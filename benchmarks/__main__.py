"""All benchmarks one after the other, each as its own process: `make bench` (LFW=<folder> for the ingest one)."""

from __future__ import annotations

import os
import subprocess
import sys

_RUNS = (
    ["benchmarks.train", "--network", "residual"],
    ["benchmarks.train", "--network", "koch"],
    ["benchmarks.serving"],
    ["benchmarks.faces"],
)


def main() -> None:
    runs = [list(run) for run in _RUNS]
    if folder := os.environ.get("LFW"):
        runs.insert(0, ["benchmarks.ingest", "--mirror", folder])
    for run in runs:
        print(f"\n$ python -m {' '.join(run)}", flush=True)
        subprocess.run([sys.executable, "-m", *run], check=True)


if __name__ == "__main__":
    main()
