"""The one module that imports torchvision, without its compiled operators, which nothing here uses.

torchvision registers fake kernels for `nms` and `qnms` when it is imported, and fails to import where its compiled
library was built for another torch (a CUDA build beside a CPU torch). Declaring the two schemas first is enough:
its networks and transforms are pure torch. Where the compiled library loads, nothing is declared.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

_SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_library_loads() -> bool:
    """Tries the compiled library as torchvision would; False also where there is none."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    try:
        for library in Path(spec.origin).parent.glob("_C*.so"):
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return hasattr(torch.ops.torchvision, "nms")


def _declare_missing_schemas() -> torch.library.Library | None:
    """Declares what torchvision's import asks for; the declarations live as long as the returned object."""
    if _compiled_library_loads():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in _SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + schema)  # type: ignore[no-untyped-call]
    return library


_declared = _declare_missing_schemas()

from torchvision.extension import _has_ops  # noqa: E402
from torchvision.models import MobileNetV2  # noqa: E402
from torchvision.models.mobilenetv2 import InvertedResidual  # noqa: E402

__all__ = ["InvertedResidual", "MobileNetV2", "has_compiled_ops"]


def has_compiled_ops() -> bool:
    """Whether torchvision's compiled operators work here; none of this package's networks needs them."""
    return bool(_has_ops())
