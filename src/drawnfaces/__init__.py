"""Synthetic faces, drawn because photographs of real people cannot be shipped.

`take_census` says who is in a set, `write_archive` writes it in LFW-a's own form. A photograph is painted in
these steps: `people` draws who somebody is (`identity`), `capture` how the photograph is taken; `head` presses
a sphere into a head with a relief on it, `rays` finds the point of it behind every pixel, `features`, `skin`
and `hair` give that point its tone, `shade` its light; `backdrop`, `body`, `clothes`, `long_hair`, `spectacles`
and `occluders` paint what is around it (`stage`), and `camera` makes a file of it. Nothing here resembles
anybody on purpose, and accuracy measured on these faces says nothing about people.
"""

from drawnfaces.archive import FOLDER, write_archive
from drawnfaces.census import MOST_IMAGES, Census, take_census

__all__ = ["FOLDER", "MOST_IMAGES", "Census", "take_census", "write_archive"]
