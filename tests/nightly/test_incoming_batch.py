"""What becomes of the files of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from likeness.data.collected import Collected
from likeness.files import read_json
from likeness.nightly.incoming_batch import collect_batch
from likeness.nightly.params import NightlyParams
from likeness.nightly.paths import ProjectPaths
from tests.data.pictures import jpeg, write_folder


def project_with_a_batch(root: Path) -> ProjectPaths:
    sections = {
        "data": {"source": "folder", "mirror": None, "crop": None, "size": [16, 12]},
        "validate": {"sharpness": [0, 60000]},
    }
    (root / "params.yaml").write_text(yaml.safe_dump(sections))
    for at, person in enumerate(["Ann", "Bob", "Bob"]):
        write_folder(root / "data" / "incoming" / person, {f"{at}.jpg": jpeg(at)})
    return ProjectPaths(root)


@pytest.mark.attack("4")
def test_the_result_of_each_file_is_written_with_its_reason(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    write_folder(paths.incoming, {"Eve/bad.jpg": b"no picture", "Eve/late.jpg.part": b"half"})
    (paths.incoming / "pipe").symlink_to("nowhere")
    batch = collect_batch(paths, NightlyParams(settle_seconds=0))
    assert batch.halt is None
    assert batch.purpose == "3 new photographs"
    assert batch.counts == {
        "arrived": 4,
        "merged": 3,
        "known": 0,
        "quarantined": 1,
        "waiting": 1,
        "aside": 1,
    }
    rows = {row["name"]: (row["placement"], row["reason"]) for row in read_json(paths.batch)}
    assert rows["Ann/0.jpg"] == ("merged", "")
    assert rows["Eve/bad.jpg"][0] == "quarantined"
    assert "no image of a kind that is read" in rows["Eve/bad.jpg"][1]
    assert rows["Eve/late.jpg.part"] == ("waiting", "Its name is that of an unfinished download.")
    assert rows["pipe"][0] == "aside"


@pytest.mark.attack("4")
def test_a_torn_index_ends_no_run(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    collect_batch(paths, NightlyParams(settle_seconds=0))
    index = tmp_path / "data" / "collected" / "index.json"
    index.write_bytes(index.read_bytes()[:50])
    write_folder(paths.incoming / "Ann", {"late.jpg": jpeg(7)})
    assert collect_batch(paths, NightlyParams(settle_seconds=0)).counts["merged"] == 1
    assert len(Collected.read(paths.collected).photographs) == 4


@pytest.mark.fault("A4")
def test_a_batch_says_how_many_files_wait_and_until_when(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    params = NightlyParams(settle_seconds=3600)
    waiting = collect_batch(paths, params)
    assert (waiting.counts["arrived"], waiting.counts["waiting"]) == (0, 3)
    newest = max(path.stat().st_ctime for path in paths.incoming.rglob("*.jpg"))
    assert waiting.settled == pytest.approx(newest + 3600, abs=0.01)
    assert waiting.purpose == "nothing new"
    assert waiting.waiting.startswith("3 files wait to settle until ")
    rows = read_json(paths.batch)
    assert [row["placement"] for row in rows] == ["waiting"] * 3
    assert all("counts as arrived at" in row["reason"] for row in rows)
    taken = collect_batch(paths, params, no_settle=True)
    assert (taken.counts["merged"], taken.waiting) == (3, "")


@pytest.mark.fault("A4")
def test_unfinished_downloads_wait_without_an_end(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    write_folder(paths.incoming, {"Eve/late.jpg.part": b"half"})
    batch = collect_batch(paths, NightlyParams(), no_settle=True)
    assert batch.waiting == "1 file waits, .likeness/nightly/batch.json says for what"
