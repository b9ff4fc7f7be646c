"""Images per second of the real ingest beside plain libjpeg-turbo decoding of the same bytes on the same cores.

    python -m benchmarks.ingest --mirror FOLDER [--source lfw-deepfunneled] [--crop 120 100] [--size 80 64]

The two take turns, because a shared machine is not equally fast at all times. Decoding has the bytes in memory,
writes nothing and runs in one process a core; ingest reads the archive from the page cache, expands it, checks,
decodes, crops, measures and hashes each image, and writes the face set.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
import zlib
from pathlib import Path
from typing import Annotated

import simplejpeg
import typer

from benchmarks.common import Timing, machine_load, spread, timed
from likeness.data.archive import open_reader
from likeness.data.cores import available_cores
from likeness.data.ingest import ingest
from likeness.data.layout import lfw_layout
from likeness.data.source_location import locate
from likeness.data.sources import DataParams
from likeness.params import from_mapping

images: list[bytes] = []  # filled before the workers fork, so that they share it


def main(
    mirror: Annotated[Path, typer.Option(help="Folder that holds the archive and the lists.")],
    source: Annotated[str, typer.Option(help="Which LFW variant.")] = "lfw-deepfunneled",
    crop: Annotated[tuple[int, int] | None, typer.Option(help="Central window, height and width.")] = None,
    size: Annotated[tuple[int, int], typer.Option(help="Stored height and width.")] = (105, 105),
    rounds: Annotated[int, typer.Option(help="How often each runs.")] = 5,
) -> None:
    values = {"source": source, "mirror": str(mirror), "crop": crop, "size": size}
    params = from_mapping(DataParams, values, "the command line")
    located = locate(params, mirror, {})
    images.extend(file.data for file in open_reader(located.images, lambda path: lfw_layout(path) is not None))
    cores = available_cores()
    print(f"{located.place}: {len(images)} images, {sum(map(len, images)) / 1e6:.0f} MB, crop {crop}, size {size}")
    print(f"{machine_load()}; expanding the archive takes {expansion_seconds(located.images):.2f} s of one core")
    ours, theirs = list[Timing](), list[Timing]()
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("fork").Pool(cores) as pool:
        for _ in range(rounds):
            ours.append(timed(lambda: ingest(located, params, Path(folder) / "faces"))[1])
            used, took = timed(
                lambda: sum(pool.map(decode, [(part, cores) for part in range(cores)], chunksize=1))
            )
            theirs.append(Timing(took.clock, used))
    print(f"... {machine_load()}")
    for name, runs in (("ingest", ours), ("decode", theirs)):
        clock = [run.clock for run in runs]
        speed = len(images) / statistics.median(clock)
        processor = spread([run.processor for run in runs])
        print(f"{name}: {spread(clock)} s, {speed:.0f} images/s; processor {processor} s")
    pairs = list(zip(ours, theirs, strict=True))
    print(f"ingest / decode by the clock: {spread([one.clock / two.clock for one, two in pairs])}")
    print(f"... in processor seconds:     {spread([one.processor / two.processor for one, two in pairs])}")


def decode(part: tuple[int, int]) -> float:
    """Decodes every n-th image; returns the processor seconds that it took."""
    started = time.process_time()
    for data in images[part[0] :: part[1]]:
        simplejpeg.decode_jpeg(data, colorspace="GRAY")
    return time.process_time() - started


def expansion_seconds(archive: Path) -> float:
    started = time.process_time()
    decoder = zlib.decompressobj(wbits=31)
    with archive.open("rb") as stream:
        while block := stream.read(1 << 16):
            decoder.decompress(block)
    return time.process_time() - started


if __name__ == "__main__":
    typer.run(main)
