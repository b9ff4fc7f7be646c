"""A real web server on the loopback, with ranges, that can be made to misbehave."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server holds, and what it was asked.

    Attributes:
        url: address without a trailing slash.
        files: content by path, such as "/a.txt".
        version: the ETag of every file.
        break_after: how many bytes of each answer are sent before the connection is cut, one entry an answer;
            None for the whole answer, and so are all answers after the last entry.
        refusals: status codes for the next answers.
        ranges: the Range header of each request, or None.
        headers: sent in place of the server's own.
        seconds_a_byte: that each byte of an answer takes; 0: as fast as it goes.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    version: str = '"1"'
    break_after: list[int | None] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    seconds_a_byte: float = 0.0


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, site)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(request: BaseHTTPRequestHandler, site: Site) -> None:
    wanted = request.headers.get("Range")
    site.ranges.append(wanted)
    if site.refusals:
        return request.send_error(site.refusals.pop(0))
    content = site.files.get(request.path)
    if content is None:
        return request.send_error(404)
    start = 0
    found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
    if found and request.headers.get("If-Range", site.version) == site.version:
        start = int(found[1])
        if start >= len(content):
            return request.send_error(416)
        request.send_response(206)
        own = f"bytes {start}-{len(content) - 1}/{len(content)}"
        request.send_header("Content-Range", site.headers.get("Content-Range", own))
    else:
        request.send_response(200)
    request.send_header("ETag", site.version)
    request.send_header("Content-Length", site.headers.get("Content-Length", str(len(content) - start)))
    request.end_headers()
    limit = site.break_after.pop(0) if site.break_after else None
    if site.seconds_a_byte:
        with suppress(OSError):
            for byte in content:
                request.wfile.write(bytes([byte]))
                time.sleep(site.seconds_a_byte)
        return None
    request.wfile.write(content[start : len(content) if limit is None else start + limit])
    return None
