"""How fast the model in use is: start-up, decisions, searches. What the README's table was measured with.

    python -m benchmarks.serving [FOLDER-OF-A-TRAINED-MODEL ...] [--quick]

Start-up is the time of the whole process `likeness verify a.png b.png --aligned`, the mobile network exported; the
rest is `likeness bench`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from benchmarks.common import spread, timed
from likeness.commands.bench import bench
from likeness.serving.bench_towers import CONTESTANTS, write_model

ROUNDS = 7


def main(
    models: Annotated[list[Path] | None, typer.Argument(help="Folders of trained models, timed besides.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="No gallery of a million.")] = False,
) -> None:
    startup = spread(startup_seconds())
    print(f"`likeness verify`, mobile network, from start to verdict: {startup} s, {ROUNDS} times\n")
    bench(models, quick=quick, as_json=False)


def startup_seconds() -> list[float]:
    """Seconds of a whole process that decides on two framed pictures; the first one is not counted."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_model(folder / "model", CONTESTANTS["mobile"])
        for seed, name in enumerate(("a.png", "b.png")):
            noise = np.random.default_rng(seed).integers(0, 256, (250, 250), dtype=np.uint8)
            Image.fromarray(noise).save(folder / name)
        photos = [str(folder / "a.png"), str(folder / "b.png")]
        program = "import sys; from likeness.cli import main; sys.argv[0] = 'likeness'; main()"
        command = [sys.executable, "-c", program, "verify", *photos, "--model", str(folder / "model"), "--aligned"]
        runs = [
            timed(lambda: subprocess.run(command, check=False, stdout=subprocess.DEVNULL))
            for _ in range(ROUNDS + 1)
        ]
        return [timing.clock for _, timing in runs[1:]]


if __name__ == "__main__":
    typer.run(main)
