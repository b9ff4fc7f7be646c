"""Does a change of the code leave results as they were? `python -m benchmarks.same_results --base COMMIT`.

Checks the base commit and HEAD out into folders of their own, runs the stages of each one's dvc.yaml from ingest
to evaluate on the same parameters, and compares the digests of pixels, weights and predictions. On drawn faces; on
LFW too where LIKENESS_LFW names a folder that holds it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
import yaml

ROOT = Path(__file__).parents[1]
RECIPES = ("koch", "small", "arcface", "triplet-hard", "fisher")
SHORT = ("train.epochs=2", "train.warmup=0", "train.precision=float32")  # the default may differ
QUIET = ("evaluate.resamples=100", "++tracking.enabled=false")
STAGES = ("ingest", "validate", "split", "train", "evaluate")
_COMPOSE = """
import sys, yaml
from pathlib import Path
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
with initialize_config_dir(str(Path("conf").resolve()), version_base=None):
    values = OmegaConf.to_container(compose("config", overrides=sys.argv[1:]), resolve=True)
Path("params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
Path("operations.yaml").write_text("tracking: {enabled: false}")
"""


def main(
    base: Annotated[str, typer.Option(help="Commit whose results are the reference.")],
    recipe: Annotated[list[str] | None, typer.Option(help="Recipes; by default those listed above.")] = None,
) -> None:
    """Exits with 1 where any digest differs."""
    sources = {"drawn": ["data=synthetic", "synthetic.people=120"]}
    if folder := os.environ.get("LIKENESS_LFW"):
        sources["lfw-deepfunneled"] = ["data=lfw-deepfunneled", f"data.mirror='{folder}'"]
    differences = 0
    with (
        tempfile.TemporaryDirectory() as scratch,
        checked_out(base, scratch) as old,
        checked_out("HEAD", scratch) as new,
    ):
        for name, one in itertools.product(sources, recipe or RECIPES):
            print(f"{one} on {name}: training both commits …", file=sys.stderr, flush=True)
            overrides = [*sources[name], f"recipe={one}", *QUIET, *(() if one == "fisher" else SHORT)]
            with ThreadPoolExecutor() as pool:  # two processes of one thread each
                before, after = pool.map(partial(digests, overrides=overrides), (old, new))
            for part, digest in before.items():
                found = "equal" if after[part] == digest else f"now {after[part][:16]}"
                differences += after[part] != digest
                print(f"{name:17} {one:13} {part:12} {digest[:16]} {found}", flush=True)
    raise typer.Exit(int(differences > 0))


@contextmanager
def checked_out(commit: str, scratch: str) -> Iterator[Path]:
    """A git worktree of a commit for as long as the block runs."""
    folder = Path(scratch, commit.replace("/", "-"))
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def digests(tree: Path, overrides: list[str]) -> dict[str, str]:
    """Runs the stages in a checkout; returns hex digests of pixels, weights and predictions by name."""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)]), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", _COMPOSE, *overrides], cwd=tree, env=environ, check=True)
    stages = yaml.safe_load((tree / "dvc.yaml").read_text())["stages"]
    for stage in [name for name in stages if name not in (*STAGES, "report")] + list(STAGES):
        command = [sys.executable, *shlex.split(stages[stage]["cmd"])[1:]]
        done = subprocess.run(command, cwd=tree, env=environ, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{tree.name}, stage {stage}: exit code {done.returncode}\n{done.stderr}")
    weights = sorted((tree / "models" / "model").glob("*.safetensors"))
    scores = pd.read_parquet(tree / "reports" / "evaluation" / "predictions.parquet")["score"]
    return {
        "pixels": _digest((tree / "data" / "faces" / "pixels.npy").read_bytes()),
        "weights": _digest(b"".join(path.read_bytes() for path in weights)),
        "predictions": _digest(scores.to_numpy("float64").tobytes()),
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    typer.run(main)
