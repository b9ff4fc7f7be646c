"""Runs the service, for callers who know its token: on loopback with a secret of its own, or elsewhere."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import uvicorn
from fastapi import FastAPI

from likeness.data.cores import available_cores
from likeness.errors import RequestError
from likeness.secret_file import read_secret
from likeness.serving.access_control import SHORTEST_TOKEN
from likeness.serving.app import create_app
from likeness.serving.connections import protocol_options
from likeness.serving.service import Service

_BACKLOG = 1024
_KEEP_ALIVE_SECONDS = 5

_log = logging.getLogger(__name__)


def run_server(
    source: str | Path | None,
    gallery: Path,
    *,
    host: str,
    port: int,
    token: str | None,
    refresh: float,
    notify: Callable[[str], None],
) -> None:
    """Serves until it is stopped.

    Args:
        source: of the model.
        gallery: the gallery's file.
        host: address to listen on.
        port: 0 takes a free one.
        token: what callers must know; None: on loopback a secret that is kept beside the gallery.
        refresh: seconds between looks for a newer model; 0: never.
        notify: prints where the page is.

    Raises:
        RequestError: the address is not loopback and there is no token, or it cannot be listened on.
        OutputError: the secret cannot be stored, or other users can read it.
        LikenessError: the model cannot be loaded.
    """
    loopback = is_loopback(host)
    check_token(token, loopback)
    cv2.setNumThreads(1)  # requests are answered beside each other; more threads in each would only wait
    service = Service(source, gallery)
    secret = token or read_secret(token_file(gallery))
    app = create_app(service, loopback=loopback, token=secret, threads=available_cores())
    with listener(host, port) as listening, _kept_fresh(service, refresh):
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        query = "" if token else f"/?token={secret}"
        notify(f"{address}{query}  (model {service.verifier.name}; stop with Ctrl-C)")
        if token is None:
            notify(
                f"programs send the token as a header, Authorization: Bearer TOKEN; it is in {token_file(gallery)}"
            )
        uvicorn.Server(_config(app)).run(sockets=[listening])


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses and paths of people who use it are nobody's business
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        **protocol_options(),
    )


def token_file(gallery: Path) -> Path:
    """Where the secret of a service on loopback is kept: whoever may read the gallery may read it."""
    return gallery.parent / "service-token"


def check_token(token: str | None, loopback: bool) -> None:
    """Refuses to listen beyond loopback without a token, and tokens that are soon guessed.

    Raises:
        RequestError: as said.
    """
    if token is None and not loopback:
        raise RequestError(
            "others could reach this address: a token is needed. Set the environment variable LIKENESS_TOKEN, for "
            "instance to the output of: python -c 'import secrets; print(secrets.token_urlsafe(24))'"
        )
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise RequestError(f"the token is too short: at least {SHORTEST_TOKEN} characters are needed")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listener(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on: a client may connect to its address before the server runs.

    Raises:
        RequestError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise RequestError(
            f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port or --host"
        ) from error
    return listening


@contextmanager
def _kept_fresh(service: Service, seconds: float) -> Iterator[None]:
    """Inside the block the model is looked after every so many seconds; never where that is 0."""
    stopped = threading.Event()
    if seconds > 0:
        threading.Thread(target=_keep_fresh, args=(service, seconds, stopped), daemon=True).start()
    try:
        yield
    finally:
        stopped.set()


def _keep_fresh(service: Service, seconds: float, stopped: threading.Event) -> None:
    while not stopped.wait(seconds):
        if service.refresh():
            _log.warning("a newer model is in use: %s", service.verifier.digest[:12])
