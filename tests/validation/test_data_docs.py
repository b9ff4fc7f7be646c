from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

from likeness.data.faceset import FaceSet
from likeness.data.problems import UNDECODABLE
from likeness.validation.data_docs import LISTED, page
from likeness.validation.params import ValidationParams
from likeness.validation.validate import check, facts
from tests.data.tiny import tiny_faceset


class References(HTMLParser):
    """Everything that a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data") and value:
                self.pictures += value.startswith("data:image/jpeg;base64,")
                self.found += [] if value.startswith("data:") else [value]
        self.found += [tag] if tag in ("script", "iframe", "link") else []


def rendered(faces: FaceSet) -> tuple[str, References]:
    html = page(faces, check(faces, ValidationParams()), facts(faces))
    references = References()
    references.feed(html)
    return html, references


def test_the_page_refers_to_nothing_outside_itself(tmp_path: Path) -> None:
    html, references = rendered(tiny_faceset(tmp_path / "faces", {"Ann": 2, "Bob": 3}))
    assert references.found == []
    assert not re.search(r"url\(|@import", html)
    assert "Passed: every critical expectation holds." in html


def test_a_photograph_under_two_names_is_shown_beside_its_twin(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", {"Ann": 2, "Bob": 3})
    pixels, manifest = faces.pixels.copy(), faces.manifest.copy()
    pixels[3], manifest.loc[3, "phash"] = pixels[1], manifest.loc[1, "phash"]
    html, references = rendered(dataclasses.replace(faces, pixels=pixels, manifest=manifest))
    assert references.pictures == 2
    assert "1 warning to look at." in html


def test_what_a_file_is_called_is_text_and_no_markup(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", {"Ann": 2, "Bob": 3})
    manifest = faces.manifest.copy()
    manifest.loc[0, ["path", "error"]] = ["x/<script>/<b>.jpg", "<img src=http://x>"]
    manifest.loc[0, "problem"] = UNDECODABLE
    _, references = rendered(dataclasses.replace(faces, manifest=manifest))
    assert references.found == []


def test_a_long_list_is_cut_and_counted(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", {"Ann": LISTED + 5, "Bob": 1}, size=(2, 2))
    html, _ = rendered(dataclasses.replace(faces, manifest=faces.manifest.assign(sharpness=0.0)))
    assert "… and 6 more." in html


def test_thousands_are_set_apart_as_in_the_report_and_commas_stay(tmp_path: Path) -> None:
    many = tiny_faceset(tmp_path / "faces", {"Ann": 1203, "Bob": 3})
    html, _ = rendered(many)
    assert "<b>1\u202f206</b>images" in html
    assert "0 of 1\u202f206" in html
    assert "1,206" not in html
    assert "listed under two names, be it by content" in html
