"""Writes the faces of many photographs as one table: Parquet, CSV or NPZ."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from likeness.errors import MissingPackageError, OutputError
from likeness.files import atomic_path
from likeness.serving.face_rows import EmbeddedFace

_NOWHERE = np.full((5, 2), np.nan)
_POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
_ROWS = 4096  # of a row group in Parquet

Writer = Callable[[Path, Iterable[EmbeddedFace], int, str], None]


def table_writer(target: Path) -> Writer:
    """What writes a table of the form that the file's suffix names, before anything is computed.

    Args:
        target: `.parquet` (columns path, face, box, landmarks, quality, embedding, error), `.csv` (the same,
            a number a column) or `.npz` (the same as arrays; NaN where there is none).

    Returns:
        A function of the path, the faces, the length of an embedding and the digest of the model's weights.

    Raises:
        OutputError: the suffix is another.
        MissingPackageError: Parquet is asked for and pyarrow is not installed.
    """
    writers: dict[str, Writer] = {".parquet": _write_parquet, ".csv": _write_csv, ".npz": _write_npz}
    writer = writers.get(target.suffix.lower())
    if writer is None:
        raise OutputError(f"{target}: expected a file that ends in .parquet, .csv or .npz")
    if writer is _write_parquet:
        try:
            import pyarrow.parquet  # noqa: F401 - only whether it is there
        except ModuleNotFoundError as error:
            raise MissingPackageError(
                f"{target}: Parquet needs the package pyarrow, which is not installed: pip install pyarrow, or "
                "let the file end in .csv or .npz"
            ) from error
    return writer


def _write_parquet(target: Path, faces: Iterable[EmbeddedFace], dim: int, model: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    box = pa.struct([(name, pa.int32()) for name in ("left", "top", "side")])
    schema = pa.schema(
        {
            "path": pa.string(),
            "face": pa.int32(),
            "box": box,
            "landmarks": pa.list_(pa.list_(pa.float64())),
            "quality": pa.float64(),
            "embedding": pa.list_(pa.float32()),
            "error": pa.string(),
        },
        metadata={"model": model},
    )
    with atomic_path(target) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for rows in _chunks(faces):
            writer.write_table(pa.Table.from_pylist([_mapping(row) for row in rows], schema))


def _chunks(faces: Iterable[EmbeddedFace]) -> Iterable[list[EmbeddedFace]]:
    rows: list[EmbeddedFace] = []
    for face in faces:
        rows.append(face)
        if len(rows) == _ROWS:
            yield rows
            rows = []
    yield rows


def _mapping(row: EmbeddedFace) -> dict[str, Any]:
    return {
        "path": row.path,
        "face": row.number,
        "box": None if row.box is None else vars(row.box),
        "landmarks": None if row.landmarks is None else row.landmarks.tolist(),
        "quality": row.quality,
        "embedding": None if row.embedding is None else row.embedding.tolist(),
        "error": row.error,
    }


def _write_csv(target: Path, faces: Iterable[EmbeddedFace], dim: int, model: str) -> None:
    """The model's digest is in no column: CSV has no place for what concerns all rows."""
    points = [f"{point}_{axis}" for point in _POINTS for axis in "xy"]
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        columns = ["path", "face", "left", "top", "side", *points, "quality"]
        writer.writerow([*columns, *(f"e{place}" for place in range(dim)), "error"])
        for row in faces:
            box = [""] * 3 if row.box is None else [row.box.left, row.box.top, row.box.side]
            landmarks = [""] * 10 if row.landmarks is None else row.landmarks.ravel().round(3).tolist()
            embedding = [""] * dim if row.embedding is None else row.embedding.tolist()
            quality = "" if row.quality is None else round(row.quality, 6)
            writer.writerow([row.path, row.number, *box, *landmarks, quality, *embedding, row.error])


def _write_npz(target: Path, faces: Iterable[EmbeddedFace], dim: int, model: str) -> None:
    rows = list(faces)
    none = np.full(dim, np.nan, np.float32)
    boxes = [[row.box.left, row.box.top, row.box.side] if row.box else [-1, -1, -1] for row in rows]
    with atomic_path(target) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            path=np.array([row.path for row in rows], dtype=str),
            face=np.array([row.number for row in rows], dtype=np.int32),
            box=np.array(boxes, dtype=np.int32).reshape(-1, 3),
            landmarks=_stacked([_NOWHERE if row.landmarks is None else row.landmarks for row in rows], (5, 2)),
            quality=np.array([np.nan if row.quality is None else row.quality for row in rows]),
            embedding=_stacked([none if row.embedding is None else row.embedding for row in rows], (dim,)),
            error=np.array([row.error for row in rows], dtype=str),
            model=model,
        )


def _stacked(values: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(values) if values else np.empty((0, *shape))
