"""Writes drawn faces as files: python -m drawnfaces --people 2 --images 2 --out faces."""

from __future__ import annotations

import argparse
from pathlib import Path

from drawnfaces.census import take_census
from drawnfaces.portrait import draw_photographs


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m drawnfaces", description=__doc__)
    parser.add_argument("--people", type=int, default=2, help="how many people (default 2)")
    parser.add_argument("--images", type=int, default=2, help="photographs of each (default 2)")
    parser.add_argument("--seed", type=int, default=0, help="another one draws other people (default 0)")
    parser.add_argument("--out", type=Path, default=Path("faces"), help="folder, with one below it a person")
    arguments = parser.parse_args()
    census = take_census(arguments.people, arguments.seed, 3.0)
    for name, number in zip(census.names, census.numbers.tolist(), strict=True):
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for place, content in enumerate(draw_photographs(arguments.seed, [(number, arguments.images)]), 1):
            path = folder / f"{name}_{place:04d}.jpg"
            path.write_bytes(content)
            print(path)


if __name__ == "__main__":
    main()
