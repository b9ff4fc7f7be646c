"""What smaller numbers save in a model's file, and what they cost in time and accuracy.

    python -m studies.precision MODEL-FOLDER LFW-FOLDER

Each form of the model's ONNX file on one thread, on View 1's test pairs with the model's own threshold.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import typer

from likeness.errors import ModelError
from likeness.faces import framed
from likeness.models.card import TOWER
from likeness.models.half_precision import write_half
from likeness.models.onnx_tower import OnnxTower
from likeness.serving.verifier import Verifier
from likeness.telemetry import disable_telemetry
from studies.view1 import read_test_pairs


def main(
    model: Annotated[Path, typer.Argument(help="Folder of a model with an ONNX file in single precision.")],
    lfw: Annotated[Path, typer.Argument(help="Folder with an LFW archive (.tgz) and pairsDevTest.txt.")],
) -> None:
    verifier = Verifier.load(model)
    pictures, pairs = read_test_pairs(lfw, colour=verifier.model.card.preprocess.colour)
    windows = verifier.windows([framed(picture) for picture in pictures])
    exact = None
    with tempfile.TemporaryDirectory() as scratch:
        for name, path in forms(model, Path(scratch)).items():
            try:
                embeddings, milliseconds = embedded(path, windows)
            except ModelError as error:  # the converters do not manage every network
                print(f"{name:30} cannot be run: {str(error).splitlines()[0]}")
                continue
            scores = verifier.model.comparator.pairs(embeddings[pairs.a], embeddings[pairs.b])
            verdicts = verifier.model.card.decision.predict(scores)
            exact = (scores, verdicts) if exact is None else exact
            largest = np.abs(scores - exact[0]).max()
            print(
                f"{name:30} {path.stat().st_size / 1e6:.2f} MB, {milliseconds:.1f} ms a face, "
                f"accuracy {(verdicts == pairs.same).mean():.3f}, largest difference {largest:.4f}, "
                f"{(verdicts != exact[1]).sum()} other decisions"
            )


def forms(model: Path, folder: Path) -> dict[str, Path]:
    """The files by what is smaller in them."""
    disable_telemetry()
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.float16 import convert_float_to_float16

    clean, computed, integers = (folder / f"{name}.onnx" for name in ("clean", "computed", "integers"))
    network = onnx.load(model / TOWER)
    del network.graph.value_info[:]  # shapes that both converters infer themselves
    onnx.save(network, clean)
    quantize_dynamic(clean, integers, weight_type=QuantType.QUInt8)  # signed ones took three times as long
    onnx.save(convert_float_to_float16(network, keep_io_types=True), computed)
    write_half(model, folder / "half")
    return {
        "single precision": model / TOWER,
        "weights in half precision": folder / "half" / TOWER,
        "computed in half precision": computed,
        "weights as 8-bit integers": integers,
    }


def embedded(path: Path, windows: np.ndarray, batch: int = 64) -> tuple[np.ndarray, float]:
    """Embeddings [N, D], and the processor's milliseconds a face, of the fastest batch."""
    tower, parts, seconds = OnnxTower(path), [], []
    for start in range(0, len(windows), batch):
        before = time.process_time()
        parts.append(tower.embed(windows[start : start + batch]))
        seconds.append((time.process_time() - before) / len(parts[-1]))
    return np.concatenate(parts), 1000 * min(seconds)


if __name__ == "__main__":
    typer.run(main)
