"""The page of `likeness suspects`: each suspicion beside the photographs that it rests on, in one offline file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import cv2

from likeness.images import Pixels, rgb
from likeness.images.data_uri import data_uri
from likeness.serving.suspects import Suspicion

MOST_SHOWN = 5
"""Photographs of a folder that are shown."""
_SIDE = 112  # pixels of a picture

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.45 system-ui, sans-serif; }
body { max-width: 80rem; margin: 0 auto; padding: 1rem; }
article { border-top: 1px solid #8888; padding: .75rem 0; }
h2 { font-size: 1.05rem; margin: 0 0 .25rem; }
p { margin: 0 0 .5rem; }
.groups { display: flex; flex-wrap: wrap; gap: 1.5rem; }
.groups h3 { font-size: .9rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
ul { display: flex; flex-wrap: wrap; gap: .35rem; list-style: none; margin: 0; padding: 0; }
img { display: block; border-radius: 4px; }
figure { margin: 0; width: 112px; }
figcaption { font-size: .75rem; overflow-wrap: anywhere; }
@media print { article { break-inside: avoid; } }
"""


def shown_rows(suspicion: Suspicion, own: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Titles and rows of the groups of photographs that are shown for a suspicion.

    Args:
        suspicion: which.
        own: rows of all photographs of its folder.
    """
    groups = {}
    if suspicion.own is not None:
        groups["This photograph"] = suspicion.photographs
        own = [row for row in own if row not in suspicion.photographs]
    groups[f"Folder {suspicion.person}"] = tuple(own[:MOST_SHOWN])
    if suspicion.other:
        groups[f"Folder {suspicion.other}"] = suspicion.others[:MOST_SHOWN]
    return groups


def suspects_page(
    suspicions: Sequence[Suspicion],
    groups: Sequence[Mapping[str, Sequence[int]]],
    paths: Sequence[str],
    frames: Mapping[int, Pixels],
    about: str,
) -> str:
    """The page as HTML.

    Args:
        suspicions: in the order in which they are shown.
        groups: of each, see `shown_rows`.
        paths: of all photographs, by row.
        frames: framed faces by row; a photograph that is not among them is named only.
        about: a sentence on folder and model.
    """
    articles = [
        _article(number, suspicion, shown, paths, frames)
        for number, (suspicion, shown) in enumerate(zip(suspicions, groups, strict=True), start=1)
    ]
    body = "\n".join(articles) or "<p>No photograph looks like somebody else's.</p>"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Photographs that may be in the wrong folder</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Photographs that may be in the wrong folder</h1>
<p>{escape(about)} The most suspicious is first. Look at each: the model is often wrong, most of all about faces
that are turned away, covered or blurred.</p>
{body}
</body>
</html>
"""


def _article(
    number: int,
    suspicion: Suspicion,
    groups: Mapping[str, Sequence[int]],
    paths: Sequence[str],
    frames: Mapping[int, Pixels],
) -> str:
    shown = "\n".join(_group(title, rows, paths, frames) for title, rows in groups.items())
    return f"""<article>
<h2>{number}. {escape(suspicion.kind.capitalize())}?</h2>
<p>{escape(_reason(suspicion))}</p>
<div class="groups">{shown}</div>
</article>"""


def _reason(suspicion: Suspicion) -> str:
    said = []
    if suspicion.own is not None:
        said.append(f"probability of one person with the folder's others {suspicion.own:.1%}")
    if suspicion.alike is not None:
        said.append(f"with {suspicion.other} {suspicion.alike:.1%}")
    return f"{suspicion.person}: {', '.join(said)}"


def _group(title: str, rows: Sequence[int], paths: Sequence[str], frames: Mapping[int, Pixels]) -> str:
    photos = "".join(f"<li>{_photo(paths[row], frames.get(row))}</li>" for row in rows)
    return f"<section><h3>{escape(title)}</h3><ul>{photos}</ul></section>"


def _photo(path: str, frame: Pixels | None) -> str:
    name = escape(path, quote=True)
    picture = ""
    if frame is not None:
        small = cv2.resize(rgb(frame), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
        source = data_uri(encoded.tobytes(), "jpeg")
        picture = f'<img src="{source}" width="{_SIDE}" height="{_SIDE}" alt="{name}">'
    return f"<figure>{picture}<figcaption>{name}</figcaption></figure>"
