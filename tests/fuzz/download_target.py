"""One HTTP answer of any bytes to our downloads: the first connection is cut in its middle, the others are not."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from likeness.data.download import download
from likeness.errors import LikenessError

FILE = b"the published file, " * 40
DIGEST = f"sha256:{hashlib.sha256(FILE).hexdigest()}"


SOUND = f"HTTP/1.1 200 OK\r\nContent-Length: {len(FILE)}\r\n\r\n".encode() + FILE


@contextmanager
def answering(answers: list[bytes]) -> Iterator[str]:
    """A server that sends each of the bytes to one connection, the last of them to all others; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):  # the listener is shut down
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.recv(1 << 16)
                        connection.sendall(answers.pop(0) if len(answers) > 1 else answers[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/file"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def fetch(data: bytes, folder: Path) -> tuple[bytes, bytes]:
    """What lands from a server that misbehaves (empty: nothing), then from one that does not, at the same address.

    Raises:
        LikenessError: the second does not help any more.
    """
    target = folder / "file"
    answers = [data[: len(data) // 2], data]
    with answering(answers) as url:
        with suppress(LikenessError):
            download(url, target, DIGEST, pause=lambda _: None)
        first = target.read_bytes() if target.exists() else b""
        target.unlink(missing_ok=True)
        answers[:] = [SOUND]
        download(url, target, DIGEST, pause=lambda _: None)
    return first, target.read_bytes()
