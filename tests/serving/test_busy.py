"""A service that is kept busy: by connections that say nothing, bodies that crawl, and files that take long."""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx
import pytest
import uvicorn

from likeness.errors import BusyError
from likeness.images import work
from likeness.serving import connections, request_queues, uploads
from likeness.serving.app import create_app
from likeness.serving.connections import protocol_options
from likeness.serving.request_queues import LIGHT_WORK, MAX_HELD, ReadFaces, RequestQueue, RequestQueues
from likeness.serving.service import Service
from tests.serving.pictures import encoded, portrait

SLOW = b"P2\n3900 3900\n255\n" + b"7 " * 3900**2  # an ASCII picture, which takes Pillow many seconds


@pytest.fixture
def address(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A real server with short limits of time."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(uploads, "_STILL_SECONDS", 2.0)
    monkeypatch.setattr(request_queues, "_SECONDS", 2.0)
    app = create_app(Service(model_folder, tmp_path / "people.safetensors"))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, **protocol_options()))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


def url(address: tuple[str, int], path: str = "/health") -> str:
    return f"http://{address[0]}:{address[1]}{path}"


def verify(address: tuple[str, int], *photographs: bytes) -> httpx.Response:
    files = dict(zip(("first", "second"), photographs, strict=True))
    return httpx.post(url(address, "/api/verify"), files=files, timeout=60)


def closed(connection: socket.socket) -> bool:
    """Whether the other side closes the connection soon."""
    connection.settimeout(10)
    try:
        return connection.recv(4096) == b""
    except ConnectionResetError:
        return True


@pytest.mark.attack("10")
def test_silent_connections_hold_nobody_up_and_are_closed(address: tuple[str, int]) -> None:
    silent = [socket.create_connection(address) for _ in range(300)]
    assert httpx.get(url(address), timeout=10).status_code == 200
    assert all(closed(connection) for connection in silent)


@pytest.mark.attack("10")
def test_a_head_that_crawls_is_not_waited_for(address: tuple[str, int]) -> None:
    def crawl(connection: socket.socket) -> None:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        for number in range(60):
            connection.sendall(f"X-{number}: y\r\n".encode())
            time.sleep(0.2)

    with socket.create_connection(address) as connection, pytest.raises(OSError, match=r"pipe|reset"):
        crawl(connection)


@pytest.mark.attack("10")
def test_a_connection_may_be_used_again_and_is_closed_when_it_falls_silent(address: tuple[str, int]) -> None:
    with contextlib.closing(http.client.HTTPConnection(*address)) as connection:
        for _ in range(3):
            connection.request("GET", "/health")
            assert connection.getresponse().read().startswith(b"{")
            time.sleep(0.5)  # together longer than a head may take
        assert closed(connection.sock)


@pytest.mark.attack("10")
def test_bodies_that_crawl_hold_nobody_up_and_are_refused(address: tuple[str, int], photos: Path) -> None:
    head = (
        b"POST /api/verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    )
    slow = [socket.create_connection(address) for _ in range(50)]
    for connection in slow:
        connection.sendall(head)
    photo = (photos / "ada.jpg").read_bytes()
    assert verify(address, photo, photo).json()["same"] is True
    for connection in slow[:5]:
        connection.settimeout(20)
        assert b"nothing came" in b"".join(iter(functools.partial(connection.recv, 4096), b""))
    for connection in slow:
        connection.close()


@pytest.mark.attack("10")
def test_files_that_take_long_are_ended_and_hold_up_nobody(address: tuple[str, int], photos: Path) -> None:
    photo = (photos / "ada.jpg").read_bytes()
    order: list[str] = []

    def ask(kind: str, first: bytes) -> httpx.Response:
        reply = verify(address, first, photo)
        order.append(kind)
        return reply

    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(ask, "slow", SLOW) for _ in range(2)]
        time.sleep(0.3)
        quick = [pool.submit(ask, "quick", photo) for _ in range(5)]
        assert all(one.result().status_code == 200 for one in quick)
        for one in slow:
            assert one.result().status_code == 422
            assert "takes longer than 2 s" in one.result().json()["error"]
    assert order.index("slow") >= 3, order  # most of the quick ones were answered before the first slow one ended


def test_work_counts_pixels_and_scans() -> None:
    progressive = encoded(portrait(), quality=90, progressive=True)
    height, width = portrait().shape[:2]
    assert work(encoded(portrait(), "PNG")) == work(encoded(portrait())) == height * width
    assert work(progressive) >= 6 * height * width
    assert work(SLOW) == 3900**2 > LIGHT_WORK
    assert work(b"no image") == work(b"\xff" * 1000) == work(b"") == 0


@pytest.mark.attack("10")
def test_a_full_queue_turns_away() -> None:
    async def scenario() -> list[str]:
        queue = RequestQueue(1, 1)
        done = threading.Event()
        results: list[str] = []

        async def ask() -> None:
            try:
                await queue.run(lambda _: results.append("answered") if done.wait(20) else None)
            except BusyError:
                results.append("busy")
                done.set()

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
        queue.close()
        return results

    assert anyio.run(scenario) == ["busy", "answered", "answered"]


@pytest.mark.attack("10")
def test_uploads_hold_so_much_memory_together() -> None:
    queues = RequestQueues(1)
    with queues.holding() as one, queues.holding() as other:
        one(MAX_HELD - 10)
        other(10)
        with pytest.raises(BusyError):
            other(1)
    with queues.holding() as again:
        again(MAX_HELD)


@pytest.mark.attack("10")
def test_busy_is_429_with_a_time_to_come_back(
    address: tuple[str, int], photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: RequestQueue, answer: Callable[[ReadFaces], object]) -> object:
        raise BusyError("too many requests wait already; try again in a few seconds")

    monkeypatch.setattr(RequestQueue, "run", refuse)
    photo = (photos / "ada.jpg").read_bytes()
    reply = verify(address, photo, photo)
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "5")
    assert "try again" in reply.json()["error"]
