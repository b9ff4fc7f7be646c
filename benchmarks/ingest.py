"""Images per second of the real ingest beside plain libjpeg-turbo decoding of the same bytes on the same cores.

    python -m benchmarks.ingest --mirror FOLDER [--source lfw-deepfunneled] [--crop 120 100] [--size 80 64]

The two take turns, because a shared machine is not equally fast at all times. Decoding has the bytes in memory,
writes nothing and runs in one process a core; ingest reads the archive from the page cache, expands it, checks,
decodes, cuts, measures and hashes each image, and writes the face set. Processor seconds are told beside the
clock: they do not depend on who else uses the machine.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import simplejpeg
import typer

from likeness.data.archive import open_reader
from likeness.data.cores import available_cores
from likeness.data.ingest import ingest
from likeness.data.layout import lfw_layout
from likeness.data.places import locate
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
    print(
        f"{cores} cores; expanding the archive alone takes {expansion_seconds(located.images):.2f} s of one core"
    )
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("fork").Pool(cores) as pool:
        runs = [
            (
                measured(lambda: ingest(located, params, Path(folder) / "faces")),
                measured(lambda: sum(pool.map(decode, [(part, cores) for part in range(cores)], chunksize=1))),
            )
            for _ in range(rounds)
        ]
    tell("ingest", [ours for ours, _ in runs])
    tell("decode", [theirs for _, theirs in runs])
    ratios = sorted(ours[0] / theirs[0] for ours, theirs in runs)
    print(f"ingest / decode by the clock: {ratios[0]:.2f} / {statistics.median(ratios):.2f} / {ratios[-1]:.2f}")
    ratios = sorted(ours[1] / theirs[1] for ours, theirs in runs)
    print(f"... in processor seconds:     {ratios[0]:.2f} / {statistics.median(ratios):.2f} / {ratios[-1]:.2f}")


def decode(part: tuple[int, int]) -> float:
    """Decodes every n-th image; returns the processor seconds that it took."""
    started = time.process_time()
    for data in images[part[0] :: part[1]]:
        simplejpeg.decode_jpeg(data, colorspace="GRAY")
    return time.process_time() - started


def measured(run: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock and processor seconds; `run` returns the latter if it spends them elsewhere."""
    started, used = time.perf_counter(), processor_seconds()
    result = run()
    seconds = time.perf_counter() - started
    return seconds, result if isinstance(result, float) else processor_seconds() - used


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def expansion_seconds(archive: Path) -> float:
    started = time.process_time()
    decoder = zlib.decompressobj(wbits=31)
    with archive.open("rb") as stream:
        while block := stream.read(1 << 16):
            decoder.decompress(block)
    return time.process_time() - started


def tell(name: str, runs: list[tuple[float, float]]) -> None:
    clock, processor = (sorted(column) for column in zip(*runs, strict=True))
    middle = statistics.median(clock)
    print(
        f"{name}: {clock[0]:.2f} / {middle:.2f} / {clock[-1]:.2f} s (min / median / max), "
        f"{len(images) / middle:.0f} images/s; processor {statistics.median(processor):.2f} s"
    )


if __name__ == "__main__":
    typer.run(main)
