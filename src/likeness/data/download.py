"""Fetching one file: with progress, retries, resume by range, its checksum, and an atomic landing."""

from __future__ import annotations

import hashlib
import logging
import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import requests
import urllib3

from likeness.data.archive import kind_of
from likeness.errors import DownloadError, OutputError, UnreachableError
from likeness.progress import progress

log = logging.getLogger(__name__)

ATTEMPTS = 4
TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and between two blocks."""
MEBIBYTE = 1 << 20
BLOCK = 1 << 14
"""Bytes that are read at once at most."""
MAX_BYTES = 16 << 30
"""Of a file; LFW is 0.2 GB."""
SLOWEST = 4096
"""Bytes a second on the mean, after the first `PATIENCE` seconds; a server that is slower is given up."""
PATIENCE = 30.0
RETRIED = {408, 425, 429, 500, 502, 503, 504}


def download(
    url: str, target: Path, digest: str | None = None, pause: Callable[[float], None] = time.sleep
) -> None:
    """Fetches `url` to `target`; a broken connection is taken up where it broke, even by a later call.

    Args:
        url: http or https.
        target: where the complete and checked file lands; what came so far waits in `<target>.part` beside it.
        digest: "<algorithm>:<hex>" that the file must have, or None if nobody published one.
        pause: waits so many seconds before the next attempt.

    Raises:
        UnreachableError: the server did not answer in any attempt.
        DownloadError: the server refuses, broke off every time, or what it sent is an HTML page or not the
            published file.
        OutputError: the file cannot be written.
    """
    part = _Part(target, url)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _fetch(url, part)
            break
        except requests.RequestException as error:
            if attempt == ATTEMPTS:
                raise _giving_up(url, error, part) from error
            log.warning("%s: attempt %d of %d broke off (%s)", url, attempt, ATTEMPTS, _reason(error))
            pause(2.0 ** (attempt - 1))
        except OSError as error:
            raise OutputError(
                f"{target}: cannot be written ({error.strerror or error}); "
                "free some space or make the folder writable, then run again"
            ) from error
    _check(url, part, digest)
    part.land()


def matches(path: Path, digest: str) -> bool:
    """Whether a file has the digest "<algorithm>:<hex>"."""
    return _digest_of(path, digest.partition(":")[0]) == digest


class _Part:
    """What came so far of a file, and the server's mark of the version it belongs to."""

    def __init__(self, target: Path, url: str) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._target = target
        self._url = url
        self._note = target.with_name(f"{target.name}.part.from")

    def resume_header(self) -> dict[str, str]:
        """Asks for the rest if it is known which version of which file has begun, else for everything."""
        if not self.path.exists() or not self._note.exists():
            return {}
        url, _, version = self._note.read_text(encoding="utf-8").partition("\n")
        size = self.path.stat().st_size
        return {"Range": f"bytes={size}-", "If-Range": version} if url == self._url and version and size else {}

    def remember(self, version: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._note.write_text(f"{self._url}\n{version}", encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def land(self) -> None:
        self._note.unlink(missing_ok=True)
        self.path.replace(self._target)


def _fetch(url: str, part: _Part) -> None:
    """One attempt; raises requests.RequestException if another one may help, DownloadError if not."""
    asked = part.resume_header()
    headers = {"Accept-Encoding": "identity", **asked}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:  # the rest of a file that is already there, or no longer as long
            part.drop()
            raise requests.ConnectionError("the server has no such range")
        _refuse(url, response)
        start = _start_of(response, part)
        if not start:
            part.remember(response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
        announced = _length_of(response)
        if start + (announced or 0) > MAX_BYTES:
            size = start + (announced or 0)
            raise DownloadError(f"{url}: announces {size} bytes, more than the {MAX_BYTES} that are taken")
        total = math.ceil((announced or 0) / MEBIBYTE) or None
        with part.path.open("ab" if start else "wb") as stream:
            for _ in progress(_mebibytes(response, stream, url, start), part.path.stem, total, "MiB"):
                pass
            if announced is not None and stream.tell() != start + announced:
                raise requests.ConnectionError(f"{announced} bytes were announced, {stream.tell() - start} came")


def _start_of(response: requests.Response, part: _Part) -> int:
    """Where in the file the answer begins: 0, or the end of what came before.

    Raises:
        requests.RequestException: the server sends another part than was asked for; what came before is dropped.
    """
    if response.status_code != 206:
        return 0
    size = part.path.stat().st_size if part.path.exists() else 0
    found = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", response.headers.get("Content-Range", ""))
    whole = found is not None and (found[3] == "*" or int(found[2]) + 1 == int(found[3]))
    if not size or not whole or found is None or int(found[1]) != size:
        part.drop()
        raise requests.ConnectionError(f"the server sends another part than the one from byte {size} on")
    return size


def _length_of(response: requests.Response) -> int | None:
    """The announced length of the answer; None where it is not, or is no number."""
    text = response.headers.get("Content-Length", "")
    return int(text) if re.fullmatch(r"\d{1,18}", text) else None


def _mebibytes(response: requests.Response, stream: BinaryIO, url: str, start: int) -> Iterator[None]:
    """Stores what comes, and yields for each MiB of it.

    Raises:
        requests.RequestException: it comes too slowly.
        DownloadError: it does not end.
    """
    count = total = 0
    started = time.monotonic()
    for block in _blocks(response):
        stream.write(block)
        count += len(block)
        total += len(block)
        if start + total > MAX_BYTES:
            raise DownloadError(f"{url}: is larger than the {MAX_BYTES} bytes that are taken")
        seconds = time.monotonic() - started
        if seconds > PATIENCE and total < SLOWEST * seconds:
            raise requests.Timeout(f"{total} bytes came in {seconds:.0f} s")
        if count >= MEBIBYTE:
            count -= MEBIBYTE
            yield


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """What comes, as it comes: a full block would be waited for however slowly it fills."""
    try:
        while block := response.raw.read1(BLOCK):
            yield block
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error


def _refuse(url: str, response: requests.Response) -> None:
    """Passes 200 and 206; an error that may be gone the next time is a RequestException."""
    if response.status_code in RETRIED:
        response.raise_for_status()
    if response.status_code not in (200, 206):
        raise DownloadError(f"{url}: the server answers {response.status_code} {response.reason}")


def _check(url: str, part: _Part, digest: str | None) -> None:
    with part.path.open("rb") as stream:
        is_html = kind_of(stream.read(512)) == "html"
    if is_html:
        part.drop()
        raise DownloadError(f"{url}: the server sends an HTML page in place of the file")
    if digest is not None and not matches(part.path, digest):
        found = _digest_of(part.path, digest.partition(":")[0])
        part.drop()
        raise DownloadError(f"{url}: is not the published file: expected {digest}, found {found}")


def _giving_up(url: str, error: requests.RequestException, part: _Part) -> DownloadError:
    if isinstance(error, requests.ConnectionError) and not part.path.exists():
        return UnreachableError(f"{url}: the server does not answer ({_reason(error)})")
    if isinstance(error, requests.HTTPError):
        return DownloadError(f"{url}: the server answers {_status(error)}, {ATTEMPTS} times", transient=True)
    size = part.path.stat().st_size if part.path.exists() else 0
    kept = f"; the {size} bytes that came are kept, a later run goes on from there" if size else ""
    return DownloadError(f"{url}: broke off {ATTEMPTS} times ({_reason(error)}){kept}", transient=True)


def _status(error: requests.HTTPError) -> str:
    return "with an error" if error.response is None else f"{error.response.status_code} {error.response.reason}"


def _reason(error: requests.RequestException) -> str:
    """The innermost cause: the outer ones repeat the address in every layer."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(cause) or type(cause).__name__


def _digest_of(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"
