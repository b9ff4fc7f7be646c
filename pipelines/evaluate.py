"""Stage 5, evaluate: figures with intervals on the test pairs, beside the baseline and the untrained network."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.params import read_params
from pipelines._stage import UsedOption, confirm_parameters
from pipelines._stage import run as run_stage

if TYPE_CHECKING:
    from likeness.artifacts.metrics import VerificationMetrics


def main(
    params: Annotated[Path, typer.Option(help="The params.yaml.")],
    faces: Annotated[Path, typer.Option(help="Folder of the ingest stage.")],
    splits: Annotated[Path, typer.Option(help="Folder of the split stage.")],
    model: Annotated[Path, typer.Option(help="Folder of the trained model.")],
    run: Annotated[Path, typer.Option(help="run.json of the train stage, to note the figures in its run.")],
    out: Annotated[Path, typer.Option(help="Folder for the figures, tables and pictures.")],
    used: UsedOption = None,
) -> None:
    """Measures the model; nothing is chosen on the test pairs."""
    logging.info("loading PyTorch")
    import torch

    from likeness.artifacts.manifest import MANIFEST
    from likeness.data.faceset import FaceSet
    from likeness.data.splits import Split
    from likeness.evaluation.evaluate_model import evaluate_model
    from likeness.evaluation.params import EvaluateParams
    from likeness.evaluation.results_folder import write_results
    from likeness.models.card import WEIGHTS
    from likeness.models.weights import load_model
    from likeness.tracking.runs import log_evaluation

    wanted = read_params(params, EvaluateParams)
    loaded = load_model(model, "cuda" if torch.cuda.is_available() else "cpu")
    face_set = FaceSet.open(faces)
    found = evaluate_model(face_set, Split.open(splits, face_set.manifest["person"]), loaded, wanted)
    write_results(out, found, {"weights": model / WEIGHTS, "manifest": faces / MANIFEST.name})
    log_evaluation(run, found.metrics)
    for name, system in found.metrics.systems.items():
        logging.info("%-11s %s", name, _line(system.test))
    confirm_parameters(params, used, wanted)


def _line(test: VerificationMetrics) -> str:
    shown = {"accuracy": test.accuracy, "auc": test.auc}
    return ", ".join(f"{name} {one.value:.4f} [{one.low:.4f}, {one.high:.4f}]" for name, one in shown.items())


if __name__ == "__main__":
    run_stage(main)
