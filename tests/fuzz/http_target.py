"""One HTTP request of any bytes against the real application, without a socket."""

from __future__ import annotations

import asyncio
import atexit
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import h11

from likeness.serving.app import create_app
from likeness.serving.service import Service
from tests.serving.models import make_model


class ServerFaultError(Exception):
    """An answer of the kind 5xx, or none."""


class NotHTTPError(Exception):
    """Bytes that the HTTP server itself answers with 400."""


@cache
def _application() -> Any:
    folder = Path(tempfile.mkdtemp(prefix="likeness-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_model(folder / "model", onnx=True)
    return create_app(Service(folder / "model", folder / "people.safetensors"))


def _scope(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The request as uvicorn would hand it over, and its body; Content-Length is made to fit."""
    head, _, body = data.partition(b"\r\n\r\n")
    length = f"Content-Length: {len(body)}".encode()
    head = re.sub(rb"(?im)^content-length:[^\r\n]*", length, head)
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(head + b"\r\n\r\n")
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise NotHTTPError from error
    if not isinstance(event, h11.Request):
        raise NotHTTPError
    path, _, query = event.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": event.http_version.decode(),
        "method": event.method.decode(),
        "scheme": "http",
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in event.headers],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 40000),
        "state": {},
    }
    return scope, body


async def _ask(scope: dict[str, Any], body: bytes) -> int:
    """The status of the answer; 0 where there is none."""
    halves = [body[: len(body) // 2], body[len(body) // 2 :]]
    status = 0

    async def receive() -> dict[str, Any]:
        if halves:
            return {"type": "http.request", "body": halves.pop(0), "more_body": bool(halves)}
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await _application()(scope, receive, send)
    return status


def answer(data: bytes) -> int:
    """Status of the answer to one request.

    Raises:
        ServerFaultError: it is 5xx, or there is none. What the application raises passes through.
    """
    try:
        scope, body = _scope(data)
    except NotHTTPError:
        return 400
    status = asyncio.run(_ask(scope, body))
    if not 200 <= status < 500:
        raise ServerFaultError(f"{scope['method']} {scope['path']}: status {status}")
    return status
