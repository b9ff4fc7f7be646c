"""Likeness: from two photographs, is this the same person?

The names below are the public interface, which docs/api.md describes. Each is imported when it is first asked for,
so that a program waits only for what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from likeness._version import __version__
    from likeness.api import (
        Evaluation,
        detect,
        embed,
        embed_photographs,
        evaluate,
        find_suspects,
        open_gallery,
        verify_pairs,
    )
    from likeness.errors import FaceNotFoundError, GalleryError, ImageError, LikenessError, ModelError
    from likeness.faces import Box, Detection, Face
    from likeness.serving.face_rows import EmbeddedFace
    from likeness.serving.labelled_folder import LabelledFolder
    from likeness.serving.pair_list import PairDecision
    from likeness.serving.people import Candidate, EnrolmentResult, Identification, People
    from likeness.serving.suspects import Suspicion
    from likeness.serving.verifier import Verification, Verifier

__all__ = [
    "Box",
    "Candidate",
    "Detection",
    "EmbeddedFace",
    "EnrolmentResult",
    "Evaluation",
    "Face",
    "FaceNotFoundError",
    "GalleryError",
    "Identification",
    "ImageError",
    "LabelledFolder",
    "LikenessError",
    "ModelError",
    "PairDecision",
    "People",
    "Suspicion",
    "Verification",
    "Verifier",
    "__version__",
    "detect",
    "embed",
    "embed_photographs",
    "evaluate",
    "find_suspects",
    "open_gallery",
    "verify_pairs",
]

_MODULES = {
    "likeness._version": ("__version__",),
    "likeness.api": (
        *("Evaluation", "detect", "embed", "embed_photographs", "evaluate"),
        *("find_suspects", "open_gallery", "verify_pairs"),
    ),
    "likeness.errors": ("FaceNotFoundError", "GalleryError", "ImageError", "LikenessError", "ModelError"),
    "likeness.faces": ("Box", "Detection", "Face"),
    "likeness.serving.face_rows": ("EmbeddedFace",),
    "likeness.serving.labelled_folder": ("LabelledFolder",),
    "likeness.serving.pair_list": ("PairDecision",),
    "likeness.serving.people": ("Candidate", "EnrolmentResult", "Identification", "People"),
    "likeness.serving.suspects": ("Suspicion",),
    "likeness.serving.verifier": ("Verification", "Verifier"),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, from the module that holds it."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """The public names, also those that were not asked for yet."""
    return sorted({*globals(), *__all__})
