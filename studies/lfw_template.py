"""Where LFW's pictures have the five landmarks of the default detector: the template of `lfw-landmarks`.

    python -m studies.lfw_template --mirror FOLDER  # holds lfw-deepfunneled.tgz and peopleDevTrain.txt

Medians over the first photograph of View 1's training people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from likeness.progress import progress
from studies.dlib_template import mtcnn_landmarks, photographs


def main() -> None:
    parser = argparse.ArgumentParser(description="The template of lfw-landmarks.")
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--people", type=int, default=2000)
    asked = parser.parse_args()
    shown = progress(photographs(asked.mirror, asked.people), "photographs", asked.people, "photos")
    points = [landmarks for landmarks in map(mtcnn_landmarks, shown) if landmarks is not None]
    print(f"{len(points)} of {asked.people} photographs show a face")
    print(np.median(np.array(points), axis=0).round(1).tolist())


if __name__ == "__main__":
    main()
