from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import numpy as np
import pytest

from likeness.data.download import ATTEMPTS, BLOCK, download, matches
from likeness.errors import DownloadError, OutputError, UnreachableError
from tests.data.server import Site
from tests.fuzz.download_target import answering

CONTENT = np.random.default_rng(0).bytes(3_000_000)
DIGEST = f"sha1:{hashlib.sha1(CONTENT).hexdigest()}"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "lfwa.tar.gz"


def files_beside(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_lands_whole(site: Site, target: Path) -> None:
    site.files["/a"] = CONTENT
    download(f"{site.url}/a", target, DIGEST)
    assert target.read_bytes() == CONTENT
    assert files_beside(target) == ["lfwa.tar.gz"]


def test_a_broken_connection_is_taken_up_where_it_broke(site: Site, target: Path) -> None:
    site.files["/a"] = CONTENT
    site.break_after = [70 * BLOCK, 100 * BLOCK + 5]
    waits: list[float] = []
    download(f"{site.url}/a", target, DIGEST, waits.append)
    assert target.read_bytes() == CONTENT
    assert site.ranges == [None, f"bytes={70 * BLOCK}-", f"bytes={170 * BLOCK + 5}-"]
    assert waits == [1, 2]


def test_after_giving_up_a_later_call_goes_on(site: Site, target: Path) -> None:
    site.files["/a"] = CONTENT
    site.break_after = [30 * BLOCK] * ATTEMPTS
    kept = 30 * BLOCK * ATTEMPTS
    with pytest.raises(DownloadError, match=rf"broke off 4 times .* the {kept} bytes that came are kept"):
        download(f"{site.url}/a", target, DIGEST, lambda _: None)
    assert not target.exists()
    download(f"{site.url}/a", target, DIGEST)
    assert site.ranges[-1] == f"bytes={kept}-"
    assert target.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(site: Site, target: Path) -> None:
    site.files["/a"] = bytes(3_000_000)
    site.break_after = [100_000] * ATTEMPTS
    with pytest.raises(DownloadError):
        download(f"{site.url}/a", target, None, lambda _: None)
    site.files["/a"], site.version = CONTENT, '"2"'
    download(f"{site.url}/a", target)
    assert target.read_bytes() == CONTENT


def test_what_came_from_elsewhere_is_not_gone_on_with(site: Site, target: Path) -> None:
    site.files |= {"/a": bytes(3_000_000), "/b": CONTENT}
    site.break_after = [100_000] * ATTEMPTS
    with pytest.raises(DownloadError):
        download(f"{site.url}/a", target, None, lambda _: None)
    download(f"{site.url}/b", target)
    assert target.read_bytes() == CONTENT


def test_a_complete_part_lands(site: Site, target: Path) -> None:
    """A kill between the last byte and the landing leaves a part to which nothing is missing."""
    site.files["/a"] = CONTENT
    target.parent.mkdir()
    target.with_name("lfwa.tar.gz.part").write_bytes(CONTENT)
    target.with_name("lfwa.tar.gz.part.from").write_text(f'{site.url}/a\n"1"')
    download(f"{site.url}/a", target, DIGEST, lambda _: None)
    assert target.read_bytes() == CONTENT
    assert files_beside(target) == ["lfwa.tar.gz"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(site: Site, target: Path, status: int) -> None:
    site.files["/a"] = CONTENT
    site.refusals = [status, status]
    download(f"{site.url}/a", target, DIGEST, lambda _: None)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_stays_busy_is_named_and_may_answer_later(site: Site, target: Path, status: int) -> None:
    site.refusals = [status] * ATTEMPTS
    with pytest.raises(DownloadError, match=f"/a: the server answers {status} .*, {ATTEMPTS} times") as caught:
        download(f"{site.url}/a", target, DIGEST, lambda _: None)
    assert caught.value.transient


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_not_repeated(site: Site, target: Path, status: int) -> None:
    site.refusals = [status]
    with pytest.raises(DownloadError, match=f"/a: the server answers {status}"):
        download(f"{site.url}/a", target)
    assert len(site.ranges) == 1


def test_a_wrong_file_is_not_kept(site: Site, target: Path) -> None:
    site.files["/a"] = CONTENT[:-1]
    with pytest.raises(DownloadError, match=f"not the published file: expected {DIGEST}, found sha1:"):
        download(f"{site.url}/a", target, DIGEST)
    assert files_beside(target) == []


@pytest.mark.parametrize("digest", [None, DIGEST])
def test_an_error_page_in_place_of_the_file_is_reported(site: Site, target: Path, digest: str | None) -> None:
    site.files["/a"] = b"<!DOCTYPE html>\n<html><title>Moved</title></html>"
    with pytest.raises(DownloadError, match="/a: the server sends an HTML page in place of the file"):
        download(f"{site.url}/a", target, digest)
    assert files_beside(target) == []


def test_a_failure_leaves_the_previous_file_intact(site: Site, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"previous")
    site.files["/a"] = b"wrong"
    with pytest.raises(DownloadError):
        download(f"{site.url}/a", target, DIGEST)
    assert target.read_bytes() == b"previous"


def test_a_server_that_does_not_answer_is_separated(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a"
        with pytest.raises(UnreachableError, match=r"the server does not answer .*refused"):
            download(url, target, None, lambda _: None)


def test_a_folder_that_cannot_be_written_is_reported(site: Site, tmp_path: Path) -> None:
    site.files["/a"] = CONTENT
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        download(f"{site.url}/a", tmp_path / "file" / "lfwa.tar.gz")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_digests_of_every_kind_are_compared(tmp_path: Path, algorithm: str) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    assert matches(tmp_path / "a", f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest()}")
    assert not matches(tmp_path / "a", f"{algorithm}:{hashlib.new(algorithm, b'').hexdigest()}")


@pytest.mark.attack("12")
@pytest.mark.parametrize("sent", ["bytes 5-9/10", "bytes */10", "nonsense", f"bytes {'9' * 5000}-1/2"])
def test_another_part_than_was_asked_for_is_never_appended(site: Site, target: Path, sent: str) -> None:
    site.files["/a"] = CONTENT
    site.break_after = [30 * BLOCK]
    site.headers["Content-Range"] = sent
    download(f"{site.url}/a", target, DIGEST, lambda _: None)
    assert target.read_bytes() == CONTENT
    assert site.ranges == [None, f"bytes={30 * BLOCK}-", None]


@pytest.mark.attack("12")
@pytest.mark.parametrize("start", [0, 7])
def test_a_part_that_nobody_asked_for_is_the_servers_fault(target: Path, start: int) -> None:
    head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{start + 2}/10\r\n\r\n"
    refused = pytest.raises(DownloadError, match="another part than the one from byte 0 on")
    with answering([head.encode() + b"abc"]) as url, refused:
        download(url, target, None, lambda _: None)
    assert not target.exists()


@pytest.mark.attack("12")
def test_a_part_that_ends_before_the_file_does_is_not_taken_for_the_rest(site: Site, target: Path) -> None:
    site.files["/a"] = CONTENT
    site.break_after = [30 * BLOCK]
    site.headers["Content-Range"] = f"bytes {30 * BLOCK}-{31 * BLOCK}/{len(CONTENT)}"
    download(f"{site.url}/a", target, None, lambda _: None)
    assert target.read_bytes() == CONTENT
    assert site.ranges[-1] is None  # the whole file was asked for again


@pytest.mark.attack("12")
@pytest.mark.parametrize("length", ["many", "-5", "9" * 5000, "1e9", ""])
def test_an_odd_length_is_no_traceback(site: Site, target: Path, length: str) -> None:
    site.files["/a"] = CONTENT
    site.headers["Content-Length"] = length
    try:
        download(f"{site.url}/a", target, DIGEST, lambda _: None)
        assert target.read_bytes() == CONTENT
    except DownloadError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.attack("12")
@pytest.mark.parametrize("announced", [True, False])
def test_a_file_without_end_is_given_up(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    monkeypatch.setattr("likeness.data.download.MAX_BYTES", 1_000_000)
    site.files["/a"] = CONTENT
    if not announced:
        site.headers["Content-Length"] = ""
    with pytest.raises(DownloadError, match=r"1000000 (bytes )?that are taken"):
        download(f"{site.url}/a", target, None, lambda _: None)
    assert not target.exists()


@pytest.mark.attack("12")
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.data.download.PATIENCE", 0.2)
    site.files["/a"] = bytes(200)
    site.seconds_a_byte = 0.02
    with pytest.raises(DownloadError, match=r"bytes came in \d+ s"):
        download(f"{site.url}/a", target, None, lambda _: None)
