from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from likeness.errors import RequestError
from likeness.serving.server import check_token, is_loopback, listener, token_file

TOKEN = "a token of some length"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    check_token(None, is_loopback(host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "faces.example", "", "localhost.evil.example"])
def test_anything_else_does(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(RequestError, match="LIKENESS_TOKEN"):
        check_token(None, loopback=False)


def test_short_tokens_are_refused() -> None:
    with pytest.raises(RequestError, match="too short"):
        check_token("letmein", loopback=True)
    check_token("x" * 16, loopback=False)


def test_a_caller_who_comes_before_the_server_runs_waits_instead_of_being_refused() -> None:
    with listener("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname(), 2) as caller:
        answering, _ = listening.accept()
        with answering:
            answering.sendall(b"at last")
        assert caller.recv(7) == b"at last"


@contextlib.contextmanager
def serving(model: Path, folder: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`likeness serve` as a process of its own, and the address that it prints."""
    arguments = ["serve", "--model", str(model), "--gallery", str(folder / "people"), "--port", "0"]
    program = "import sys; from likeness.cli import main; sys.argv[0] = 'likeness'; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | variables,
    )
    assert process.stderr is not None
    address = re.match(r"(http://\S+)", process.stderr.readline())
    assert address
    yield process, address[1]
    process.kill()
    process.wait()


@pytest.fixture
def served(model_folder: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service whose callers send HEADERS, and its address."""
    with serving(model_folder, tmp_path, LIKENESS_TOKEN=TOKEN) as started:
        yield started


@pytest.mark.attack("8")
def test_on_loopback_another_user_learns_and_removes_nothing(
    model_folder: Path, tmp_path: Path, photos: Path
) -> None:
    with serving(model_folder, tmp_path) as (_, address):
        site, _, token = address.partition("/?token=")
        mine = {"Authorization": f"Bearer {token}"}
        photo = {"photos": (photos / "ada.jpg").read_bytes()}
        enrolled = httpx.post(f"{site}/api/people", data={"name": "Ada"}, files=photo, headers=mine, timeout=30)
        assert enrolled.status_code == 201
        assert httpx.get(f"{site}/api/people").status_code == 401
        assert httpx.post(f"{site}/api/people/remove", files={"name": (None, "Ada")}).status_code == 401
        page = httpx.get(site)
        assert (page.status_code, "likeness serve" in page.text, token in page.text) == (401, True, False)
        assert [person["name"] for person in httpx.get(f"{site}/api/people", headers=mine).json()] == ["Ada"]
        with httpx.Client(follow_redirects=True) as browser:
            assert str(browser.get(address).url) == f"{site}/"
            assert len(browser.get(f"{site}/api/people").json()) == 1


@pytest.mark.attack("8")
def test_the_secret_is_for_its_owner_and_outlives_the_service(model_folder: Path, tmp_path: Path) -> None:
    with serving(model_folder, tmp_path) as (_, first), serving(model_folder, tmp_path) as (_, second):
        file = token_file(tmp_path / "people")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert {address.partition("token=")[2] for address in (first, second)} == {file.read_text()}


def test_a_token_that_was_given_is_not_printed(served: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    _, address = served
    assert TOKEN not in address
    assert not token_file(tmp_path / "people").exists()


def test_the_service_answers_and_stops_when_asked(served: tuple[subprocess.Popen[str], str], photos: Path) -> None:
    process, address = served
    files = {"first": (photos / "ada.jpg").read_bytes(), "second": (photos / "ada.png").read_bytes()}
    assert httpx.post(f"{address}/api/verify", files=files, headers=HEADERS, timeout=30).json()["same"] is True
    host, port = address.removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    for other in _other_addresses():
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((other, int(port))) != 0
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (0, 130, -signal.SIGINT)
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def test_an_endless_upload_is_cut_off(served: tuple[subprocess.Popen[str], str]) -> None:
    """No Content-Length, and no end: the service stops reading soon after its limit, and answers others."""
    _, address = served
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="first"; filename="a.jpg"\r\n\r\n'
        while sent < 1 << 30:
            sent += 1 << 20
            yield bytes(1 << 20)

    headers = HEADERS | {"content-type": "multipart/form-data; boundary=x"}
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # it may hang up while more is on its way
        reply = httpx.post(f"{address}/api/verify", content=endless(), headers=headers, timeout=30)
        assert reply.status_code == 413
    assert sent < 1 << 27
    assert httpx.get(f"{address}/health", headers=HEADERS).status_code == 200


def _other_addresses() -> list[str]:
    """This machine's addresses besides loopback."""
    found = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    return [str(address) for address in found if not str(address).startswith("127.")]


def test_an_address_in_use_is_one_sentence(model_folder: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        program = "import sys; from likeness.cli import main; sys.argv[0] = 'likeness'; main()"
        arguments = ["serve", "--model", str(model_folder), "--port", str(taken.getsockname()[1])]
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ},
        )
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.attack("11")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_service_that_is_ended_at_work(
    served: tuple[subprocess.Popen[str], str], photos: Path, number: signal.Signals
) -> None:
    process, address = served
    files = {"first": (photos / "ada.jpg").read_bytes(), "second": (photos / "ada.png").read_bytes()}
    assert httpx.post(f"{address}/api/verify", files=files, headers=HEADERS, timeout=30).status_code == 200
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    process.wait(20)
    _, alive = psutil.wait_procs(started, 10)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
