"""Reads forms with photographs from a request: counted while they stream in, and never written to disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from io import BytesIO

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from likeness.errors import RequestError, TooLargeError
from likeness.images import MAX_BYTES

MAX_FILES = 20
MAX_TOTAL = 64 * 1024 * 1024
"""Bytes of one request."""

_FIELD_BYTES = 4096
_MAX_FIELDS = 10
_SECONDS = 60.0
_STILL_SECONDS = 10.0
_CHARSETS = ("utf-8", "utf8", "us-ascii")


@dataclass(frozen=True)
class Form:
    """A form's photographs and fields, by their names."""

    files: dict[str, list[bytes]]
    fields: dict[str, str]

    def photo(self, name: str, called: str) -> bytes:
        """The one photograph of that name.

        Raises:
            RequestError: there is none, or more than one.
        """
        found = self.files.get(name, [])
        if len(found) != 1:
            raise RequestError(f"choose {called}")
        return found[0]

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number between bounds; None where the field is absent or empty.

        Raises:
            RequestError: it is something else.
        """
        text = self.fields.get(name, "").strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise RequestError(f"{name}: expected a number from {low:g} to {high:g}, found {text[:40]!r}")
        return value

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.fields.get(name, "") in ("1", "on", "true")


class _InMemory(MultiPartParser):
    """Starlette's parser, which would move a file to disk beyond a megabyte and count only the fields."""

    spool_max_size = 2 * MAX_BYTES  # beyond the limit below, so that nothing is ever moved

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self._bytes = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._bytes += end - start
        if self._bytes > MAX_BYTES:
            raise TooLargeError(f"a photograph is larger than {MAX_BYTES >> 20} MB, the most that is taken")
        super().on_part_data(data, start, end)


async def read_form(request: Request, hold: Callable[[int], None] = lambda count: None) -> Form:
    """Reads a multipart form.

    Args:
        request: the request.
        hold: receives the size in bytes of each part that has come, and may refuse.

    Raises:
        TooLargeError: the request, or one file in it, is too large; noticed before the rest has come in.
        RequestError: it is no such form in UTF-8, holds too many parts, takes over a minute, or stands still
            for ten seconds.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise RequestError("expected a form with photographs (multipart/form-data)")
    _check_charset(request.headers["content-type"])
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_TOTAL:
        raise _too_large()
    parser = _InMemory(
        request.headers,
        _limited(request.stream(), hold),
        max_files=MAX_FILES,
        max_fields=_MAX_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            items = await parser.parse()
    except MultiPartException as error:
        raise RequestError(f"the form cannot be read: {error.message}") from error
    except (TimeoutError, ClientDisconnect) as error:
        raise RequestError(
            f"the photographs did not arrive within {_SECONDS:.0f} seconds, "
            f"or nothing came for {_STILL_SECONDS:.0f}"
        ) from error
    files: dict[str, list[bytes]] = {}
    fields: dict[str, str] = {}
    for name, value in items.multi_items():
        if isinstance(value, UploadFile):
            content = _content(value)
            if content or value.filename:  # a browser sends an empty file for a field that was left empty
                files.setdefault(name, []).append(content)
        else:
            fields[name] = value
    return Form(files, fields)


def _check_charset(content_type: str) -> None:
    """Refuses other charsets: the parser would look them up among Python's codecs, of which some fail."""
    charset = parse_options_header(content_type)[1].get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in _CHARSETS:
        raise RequestError(f"the form is in charset {charset[:40]!r}; send it in UTF-8")


async def _limited(
    stream: AsyncGenerator[bytes, None], hold: Callable[[int], None]
) -> AsyncGenerator[bytes, None]:
    """The stream, until more has come than is taken, or nothing comes any more."""
    received = 0
    while True:
        async with asyncio.timeout(_STILL_SECONDS):
            chunk = await anext(stream, None)
        if chunk is None:
            return
        hold(len(chunk))
        received += len(chunk)
        if received > MAX_TOTAL:
            raise _too_large()
        yield chunk


def _content(upload: UploadFile) -> bytes:
    """The bytes of a file that is in memory."""
    upload.file.seek(0)
    memory = BytesIO(upload.file.read())
    upload.file.close()
    return memory.getvalue()


def _too_large() -> TooLargeError:
    return TooLargeError(f"the upload is larger than {MAX_TOTAL >> 20} MB, the most that is taken at once")
