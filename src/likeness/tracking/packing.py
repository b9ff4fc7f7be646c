"""A version of the registry as a folder: our model wrapped as a pyfunc without a pickle, and what the gate needs.

`data/model/` holds weights, card and ONNX tower as training left them; MLmodel names a loader module, so that
`mlflow models serve` and `mlflow.pyfunc.load_model` read safetensors and run no code from the folder.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from likeness.files import read_json, write_json
from likeness.tracking.gate import Candidate, read_predictions

DATA = "data/model"  # pyfunc puts the folder that it is given below data/
LOADER = "likeness.serving.pyfunc"
_PREDICTIONS, _FIGURES = "predictions.parquet", "figures.json"
_REQUIREMENTS = ["likeness", "numpy", "onnxruntime", "opencv-python-headless<5", "pillow", "safetensors", "torch"]


@contextmanager
def packed(model: Path, predictions: Path, figures: Mapping[str, float]) -> Iterator[Path]:
    """A temporary folder with everything that a version holds.

    Args:
        model: folder with weights and card.
        predictions: predictions.parquet of its evaluation.
        figures: the other fields of `Candidate`.
    """
    import mlflow.pyfunc

    with tempfile.TemporaryDirectory() as scratch:
        folder, kept = Path(scratch) / "version", Path(scratch) / "model"
        shutil.copytree(model, kept)
        mlflow.pyfunc.save_model(
            str(folder), loader_module=LOADER, data_path=str(kept), pip_requirements=_REQUIREMENTS
        )
        shutil.copy(predictions, folder / _PREDICTIONS)
        write_json(folder / _FIGURES, dict(figures))
        yield folder


def read_candidate(folder: Path, version: int) -> Candidate:
    """What the gate needs to know of a packed version."""
    return Candidate(version, read_predictions(folder / _PREDICTIONS), **read_json(folder / _FIGURES))
