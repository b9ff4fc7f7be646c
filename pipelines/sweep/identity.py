"""What a training's result hangs on, so that one which was trained before is known again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from likeness.data.source_state import as_mapping, source_state
from likeness.data.sources import DataParams
from likeness.errors import DataError
from likeness.params import sections_of
from pipelines.compose import compose_params

STAGES = ("ingest", "validate", "split", "train")


def identity(root: Path, overrides: Sequence[str]) -> str:
    """Hex sha256 of the parameters, the source and the code of the stages up to the training, committed or not.

    DVC has the same notion in its run cache, but leaves stages whose outputs persist out of that.

    Args:
        root: the project.
        overrides: Hydra's, as `dvc exp run -S` takes them.

    Raises:
        DataError: the project is no git repository.
        ParamsError: section `data` is wrong.
    """
    known = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    stages = [known[name] for name in STAGES if name in known]
    values = compose_params(root, overrides)
    sections = {name: values[name] for name in sorted({name for stage in stages for name in stage["params"]})}
    code = sorted({"dvc.yaml", *(dep for stage in stages for dep in stage["deps"])})
    states = [_git(root, *command, "--", *code) for command in (["ls-files", "-s"], ["diff"])]
    told = [json.dumps(sections, sort_keys=True), *states]
    if "data" in sections:
        (data,) = sections_of(values, str(root / "conf"), DataParams)
        told.append(json.dumps(as_mapping(source_state(data, os.environ, root / "data" / "source.json"))))
    return hashlib.sha256("\0".join(told).encode()).hexdigest()


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if done.returncode != 0:
        raise DataError(
            f"{root}: git cannot tell the state of the code, which a sweep needs: {done.stderr.strip()}"
        )
    return done.stdout
