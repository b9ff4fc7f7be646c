"""A folder of unaligned photographs as a user has it, cut from LFW, of people who are in no pair.

    python -m studies.own_folder --mirror LFW --out FOLDER [--people 60]
    make folder MIRROR=FOLDER RECIPE=adapt SET="split.pairs_per_class=300"
    python -m benchmarks.faces --mirror LFW --model models/model --rounds 1

Takes people of View 1's test half with 2 to 8 photographs who are in none of its test pairs, and turns and scales
each photograph as `benchmarks.faces` does. That program then measures the model on the test pairs, of other
people, with their photographs turned and scaled in the same way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks.faces import disturbed
from likeness.data.archive import open_reader
from likeness.data.layout import lfw_layout
from likeness.data.pairs import read_pairs, read_people
from likeness.images import read_image

_FEWEST, _MOST = 2, 8


def main(
    mirror: Annotated[Path, typer.Option(help="Folder with LFW deep-funneled and its lists.")],
    out: Annotated[Path, typer.Option(help="Folder that is made: a folder of photographs for each person.")],
    people: Annotated[int, typer.Option(help="How many people.")] = 60,
) -> None:
    (pairs,) = read_pairs(mirror / "pairsDevTest.txt")
    paired = {image.person for pair in pairs for image in (pair.first, pair.second)}
    (listed,) = read_people(mirror / "peopleDevTest.txt")
    fit = sorted(one.person for one in listed if one.person not in paired and _FEWEST <= one.images <= _MOST)
    chosen = {fit[place] for place in np.random.default_rng(0).permutation(len(fit))[:people]}
    reader = open_reader(next(mirror.glob("*.t*gz")), lambda path: (lfw_layout(path) or ("",))[0] in chosen)
    random, count = np.random.default_rng(1), 0
    for file in reader:
        picture = disturbed(read_image(file.data, file.path, colour=True), random)
        target = out / Path(file.path).parent.name / Path(file.path).with_suffix(".png").name
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        count += 1
    print(f"{count} photographs of {len(chosen)} people, of {len(fit)} that fit: {out}")


if __name__ == "__main__":
    typer.run(main)
