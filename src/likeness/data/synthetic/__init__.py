"""Synthetic faces: the embedded default, drawn because real faces cannot be shipped.

`archive.write_archive` writes a set in LFW-a's own form. A photograph is painted in these steps: `people` draws
who somebody is (`identity`), `capture` how the photograph is taken; `head` presses a sphere into a head with a
relief on it, `rays` finds the point of it behind every pixel, `features`, `skin` and `hair` give that point its
tone, `shade` its light; `backdrop`, `body`, `clothes`, `long_hair`, `spectacles` and `occluders` paint what is
around it (`stage`), and `camera` makes a file of it. Nothing here resembles anybody on purpose, and accuracy
measured on these faces says nothing about people.
"""
