"""Load on `likeness serve`: clients that compare, identify and explain at once, errors and memory watched.

    python -m benchmarks.load [--model FOLDER] [--photos FOLDER] [--clients 8] [--seconds 60] [--hostile]

Without a model the mobile network is served with random weights; without photographs the portrait that
scikit-image carries is sent. Everything happens on loopback. Exits with 1 if a request failed. With --hostile the
time is divided: a quiet half, and one beside 500 silent connections, 50 bodies that crawl, and 10 hostile files.
"""

from __future__ import annotations

import os
import random
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import psutil
import typer
from PIL import Image

from likeness.images import SUFFIXES
from likeness.serving.bench_towers import CONTESTANTS, write_model

TOKEN = secrets.token_urlsafe(24)
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Tally:
    """What the clients met."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, path: str, started: float, fault: str | None) -> None:
        with self.lock:
            self.milliseconds.setdefault(path, []).append(1e3 * (time.perf_counter() - started))
            if fault is not None:
                self.faults[f"{path}: {fault}"] += 1


def main(
    model: Annotated[Path | None, typer.Option(help="Folder of the model; by default random weights.")] = None,
    photos: Annotated[Path | None, typer.Option(help="Folder with photographs of faces.")] = None,
    clients: Annotated[int, typer.Option(min=1)] = 8,
    seconds: Annotated[float, typer.Option(min=1)] = 60.0,
    hostile: Annotated[
        bool, typer.Option("--hostile", help="Half of the time beside callers who mean harm.")
    ] = False,
) -> None:
    pictures = portraits() if photos is None else read(photos)
    with tempfile.TemporaryDirectory() as scratch:
        folder = model or Path(scratch) / "model"
        if model is None:
            write_model(folder, CONTESTANTS["mobile"])
        with served(folder, Path(scratch) / "gallery") as (address, process):
            enrol(address, pictures)
            if hostile:
                quiet = load(address, process, pictures, clients, seconds / 2)
                with attacked(address):
                    busy = load(address, process, pictures, clients, seconds / 2)
                compare(quiet, busy)
                raise typer.Exit(1 if busy.faults or quiet.faults else 0)
            tally = load(address, process, pictures, clients, seconds)
    raise typer.Exit(1 if tally.faults else 0)


def load(address: str, process: psutil.Process, pictures: list[bytes], clients: int, seconds: float) -> Tally:
    """So many clients for so long; what they met is printed."""
    tally, memory = Tally(), list[float]()
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=client, args=(address, pictures, end, tally, i)) for i in range(clients)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        memory.append(process.memory_info().rss / 2**20)
        time.sleep(0.5)
    for thread in threads:
        thread.join()
    print_tally(tally, memory, clients, seconds)
    return tally


@contextmanager
def attacked(address: str) -> Iterator[None]:
    """Inside the block the service is kept busy by callers who mean harm."""
    host, port = address.removeprefix("http://").split(":")
    stop = threading.Event()
    files = hostile_files()
    attackers = [(silent, 500, b""), (crawl, 50, b"")] + [(send, 1, files[i % len(files)]) for i in range(10)]
    threads = [
        threading.Thread(target=attack, args=((host, int(port)), content, stop), daemon=True)
        for attack, count, content in attackers
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    time.sleep(2)
    try:
        yield
    finally:
        stop.set()


def silent(address: tuple[str, int], _: bytes, stop: threading.Event) -> None:
    while not stop.is_set():
        with suppress(OSError), socket.create_connection(address, timeout=30) as connection:
            connection.recv(1)
        stop.wait(0.1)


def crawl(address: tuple[str, int], _: bytes, stop: threading.Event) -> None:
    head = (
        f"POST /api/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Length: 1000000\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    )
    while not stop.is_set():
        with suppress(OSError), socket.create_connection(address, timeout=30) as connection:
            connection.sendall(head.encode())
            while not stop.wait(1):
                connection.sendall(b"-")


def send(address: tuple[str, int], content: bytes, stop: threading.Event) -> None:
    while not stop.is_set():
        with suppress(httpx.HTTPError):
            files = {"first": content, "second": content}
            httpx.post(f"http://{address[0]}:{address[1]}/api/verify", files=files, headers=HEADERS, timeout=60)
        stop.wait(0.1)


def hostile_files() -> list[bytes]:
    """Files that take long by their nature, or look as if they did."""
    return [
        b"\xff\xd8" + b"\xff" * (16 << 20),
        b"P2\n3500 3500\n255\n" + b"7 " * 3500**2,
        encoded(Image.new("L", (8000, 8000)), "PNG"),
        encoded(Image.effect_noise((6000, 6000), 80), "JPEG", progressive=True),
        encoded(Image.effect_noise((5000, 5000), 80), "WEBP"),
    ]


def compare(quiet: Tally, busy: Tally) -> None:
    print("p99 under attack / quiet (aim: below 5)")
    for path in sorted(quiet.milliseconds):
        before, after = (np.percentile(each.milliseconds.get(path, [np.nan]), 99) for each in (quiet, busy))
        print(f"  {path:14} {before:7.1f} ms  {after:7.1f} ms  {after / before:5.2f}")


def client(address: str, pictures: list[bytes], end: float, tally: Tally, seed: int) -> None:
    """One caller, who asks for this and that until the end."""
    draw = random.Random(seed)
    with httpx.Client(base_url=address, timeout=60, headers=HEADERS) as session:
        while time.monotonic() < end:
            path, files = question(draw, pictures)
            started = time.perf_counter()
            try:
                reply = session.post(path, files=files, data={"threshold": "0"})
                fault = None if reply.status_code == 200 else f"{reply.status_code} {reply.text[:100]}"
            except httpx.HTTPError as error:
                fault = type(error).__name__
            tally.note(path, started, fault)


def question(draw: random.Random, pictures: list[bytes]) -> tuple[str, dict[str, bytes]]:
    first, second = draw.choices(pictures, k=2)
    kind = draw.random()
    if kind < 0.4:
        return "/api/identify", {"photo": first}
    return "/api/explain" if kind > 0.95 else "/api/verify", {"first": first, "second": second}


@contextmanager
def served(model: Path, gallery: Path) -> Iterator[tuple[str, psutil.Process]]:
    """`likeness serve` as a process of its own; yields its address."""
    program = "import sys; from likeness.cli import main; sys.argv[0] = 'likeness'; main()"
    arguments = ["serve", "--model", str(model), "--gallery", str(gallery), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"LIKENESS_TOKEN": TOKEN},
    )
    assert process.stderr is not None
    found = re.match(r"(http://\S+)", process.stderr.readline())
    if found is None:
        raise SystemExit("the service did not start")
    try:
        yield found[1], psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def enrol(address: str, pictures: list[bytes]) -> None:
    for number, picture in enumerate(pictures[:20]):
        person, photos = {"name": f"Person {number}"}, {"photos": picture}
        reply = httpx.post(f"{address}/api/people", data=person, files=photos, headers=HEADERS)
        reply.raise_for_status()


def portraits() -> list[bytes]:
    """A portrait in several sizes and kinds of file."""
    from skimage import data

    portrait = Image.fromarray(data.astronaut())
    kinds: list[tuple[str, Callable[[Image.Image], Image.Image]]] = [
        ("JPEG", lambda image: image),
        ("PNG", lambda image: image.convert("L")),
        ("JPEG", lambda image: image.resize((2048, 2048))),
        ("WEBP", lambda image: image.resize((900, 900))),
    ]
    return [encoded(change(portrait), kind) for kind, change in kinds]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def read(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]


def print_tally(tally: Tally, memory: list[float], clients: int, seconds: float) -> None:
    total = sum(map(len, tally.milliseconds.values()))
    print(f"{clients} clients, {seconds:.0f} s: {total} requests, {total / seconds:.1f} a second, "
          f"{tally.faults.total()} failed")  # fmt: skip
    for path, durations in sorted(tally.milliseconds.items()):
        p50, p99 = np.percentile(durations, [50, 99])
        print(f"  {path:14} {len(durations):6}  p50 {p50:7.1f} ms  p99 {p99:7.1f} ms")
    for fault, count in tally.faults.most_common(5):
        print(f"  {count} x {fault}")
    tenth = max(1, len(memory) // 10)
    parts = [np.mean(memory[i : i + tenth]) for i in range(tenth, len(memory), tenth)]
    print("  memory (MiB, each tenth of the time, the first left out): " + " ".join(f"{mib:.0f}" for mib in parts))


if __name__ == "__main__":
    typer.run(main)
