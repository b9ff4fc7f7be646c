"""Decodes and measures the photographs of a batch in a worker process, so that a bad file costs only itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from likeness.data.images import ImageRecord, read_image_file
from likeness.data.incoming import Arrival
from likeness.data.sources import DataParams
from likeness.errors import WorkerError
from likeness.images import Pixels
from likeness.isolation import LIMITS, Limits, Worker
from likeness.progress import progress

FIRST_NUMBER = 900_001  # of the batch's images, so that no name collides with one of the data set

Measured: TypeAlias = Mapping[Arrival, tuple[Pixels, ImageRecord]]
"""Pixels uint8 [H, W] or [H, W, 3] of each photograph, and its facts under the name that it would have in the data
set."""


def measure(
    arrivals: Sequence[Arrival], data: DataParams, limits: Limits = LIMITS
) -> tuple[Measured, dict[Arrival, str]]:
    """Measures photographs.

    Args:
        arrivals: those without a fault.
        data: how photographs are cut.
        limits: of the work on one file.

    Returns:
        The measured ones, and why each of the others is no usable photograph.
    """
    measured: dict[Arrival, tuple[Pixels, ImageRecord]] = {}
    refused: dict[Arrival, str] = {}
    with Worker(limits) as worker:
        for at, arrival in enumerate(progress(arrivals, "measuring the batch", len(arrivals), "photograph")):
            name = f"{arrival.person}/{arrival.person}_{FIRST_NUMBER + at}.jpg"
            try:
                pixels, facts = worker.call(read_image_file, arrival.staged, name, data.cut)
            except WorkerError as error:
                refused[arrival] = f"It cannot be decoded: the file {error}."
                continue
            if not facts.problem:
                measured[arrival] = pixels, facts
            else:
                refused[arrival] = f"It is no usable photograph: {facts.error}."
    return measured, refused
