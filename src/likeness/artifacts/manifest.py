"""`manifest.parquet` of the ingest stage, one row an image, and `left-aside.csv`, what was not taken."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from likeness.artifacts.table_file import TableFile

LANDMARK_COLUMNS = tuple(
    f"{point}_{axis}" for point in ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth") for axis in "xy"
)
PIXELS = "pixels.npy"
"""The pixel store beside the manifest: row i of it is row i of the manifest."""
_PLACE = ("face_left", "face_top", "face_side", "face_turned")
NO_FACE_COLUMNS: Mapping[str, float] = {
    **dict.fromkeys(_PLACE, 0),
    **dict.fromkeys(("face_score", "face_quality", *LANDMARK_COLUMNS), float("nan")),
}
"""Of an image without a framed face; earlier manifests have no such columns."""
MANIFEST = TableFile(
    "manifest.parquet",
    {
        "person": "str",
        "number": "int32",  # counts a person's images from 1
        "path": "str",  # inside the archive or folder, with forward slashes
        "bytes": "int64",  # length of the image file
        "width": "int32",  # of the source picture, 0 where its header cannot be read
        "height": "int32",
        "mode": "str",  # Pillow's name of the source's pixel format, such as L or RGB
        "sha256": "str",  # of the image file
        "phash": "str",  # 64 bits in 16 hex digits, of the whole picture before the crop; "" where not usable
        "brightness": "float32",  # mean of the stored crop / 255
        "contrast": "float32",  # standard deviation of the stored crop / 255
        "sharpness": "float32",  # variance of the Laplacian of the stored crop
        "other_faces": "int32",  # that the photograph shows beside the one that was framed
        "face_left": "int32",  # the box of the framed face, in the upright photograph; 0 where there is none
        "face_top": "int32",
        "face_side": "int32",
        "face_turned": "int32",  # degrees counter-clockwise by which the photograph had to be turned
        "face_score": "float32",  # the detector's
        "face_quality": "float32",  # in [0, 1]; NaN where landmarks are not found
        **dict.fromkeys(LANDMARK_COLUMNS, "float32"),  # in the upright photograph; NaN where none are found
        "problem": "str",  # why the image is not usable, one of PROBLEMS; "" where it is
        "error": "str",  # the same as a sentence
    },
    stage="ingest",
    defaults=NO_FACE_COLUMNS,
)
ASIDE = TableFile("left-aside.csv", {"path": "str", "reason": "str", "kind": "str"}, stage="ingest")
"""Every file of the source that was not taken, with the reason."""


def usable(manifest: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which rows of a manifest, bool [N], have pixels."""
    return (manifest["problem"] == "").to_numpy(bool)


def image_names(manifest: pd.DataFrame) -> pd.Series[str]:
    """The name of each image, as lists name it without a suffix: Ann_Lee_0001."""
    return manifest["person"] + "_" + manifest["number"].astype(str).str.zfill(4)
