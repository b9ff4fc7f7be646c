"""Figures that others published, quoted with their source; nothing in here was measured by this project."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_RESULTS = "official LFW results page, View 2"
_PAPER = "their paper, View 2"


@dataclass(frozen=True)
class Published:
    """An accuracy on LFW as its authors give it.

    Attributes:
        method: name.
        accuracy: as printed, with its standard error where one is given.
        category: protocol and outside data in the database's own terms.
        source: where it was published.
    """

    method: str
    accuracy: str
    category: str
    source: str

    @property
    def percentage(self) -> str:
        """The accuracy in per cent with as many digits as were printed, such as 73.93 ± 0.49 %."""
        parts = (f"{Decimal(part).scaleb(2):f}" for part in self.accuracy.split(" ± "))
        return f"{' ± '.join(parts)}\u202f%"


_NO_OUTSIDE = "restricted, no outside data"
_LABEL_FREE = "restricted, label-free outside data"
_UNRESTRICTED = "unrestricted, label-free outside data"
_LABELLED = "labelled outside data (context only)"

PUBLISHED = (
    Published("S1's authors (Siamese network, LFW-a)", "0.732", _LABEL_FREE, "their report, View 1 test pairs"),
    Published("Eigenfaces", "0.6002 ± 0.0079", _NO_OUTSIDE, _RESULTS),
    Published("Nowak, funneled", "0.7393 ± 0.0049", _NO_OUTSIDE, _RESULTS),
    Published("V1-like/MKL, funneled", "0.7935 ± 0.0055", _NO_OUTSIDE, _RESULTS),
    Published("Fisher vector faces", "0.8747 ± 0.0149", _NO_OUTSIDE, _RESULTS),
    Published("Eigen-PEP", "0.8897 ± 0.0132", _NO_OUTSIDE, _RESULTS),
    Published("POP-PEP", "0.9110 ± 0.0147", _NO_OUTSIDE, _RESULTS),
    Published("MRF-Fusion-CSKDA", "0.9589 ± 0.0194", _NO_OUTSIDE, _RESULTS),
    Published("Hybrid, aligned", "0.8398 ± 0.0035", _LABEL_FREE, _RESULTS),
    Published("Convolutional DBN", "0.8777 ± 0.0062", _LABEL_FREE, _RESULTS),
    Published("MSBSIF-SIEDA", "0.9463 ± 0.0095", _LABEL_FREE, _RESULTS),
    Published("combined Joint Bayesian", "0.9090 ± 0.0148", _UNRESTRICTED, _RESULTS),
    Published("ConvNet-RBM", "0.9175 ± 0.0048", _UNRESTRICTED, _RESULTS),
    Published("Fisher vector faces", "0.9303 ± 0.0105", _UNRESTRICTED, _RESULTS),
    Published("high-dim LBP", "0.9318 ± 0.0107", _UNRESTRICTED, _RESULTS),
    Published("MDML-DCPs", "0.9558 ± 0.0034", _UNRESTRICTED, _RESULTS),
    Published("DeepFace ensemble", "0.9735", _LABELLED, _PAPER),
    Published("FaceNet (200 M private faces)", "0.9963", _LABELLED, _PAPER),
)
