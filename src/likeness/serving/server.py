"""Runs the service: on loopback, or elsewhere for callers with a token."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import uvicorn

from likeness.errors import RequestError
from likeness.serving.app import create_app
from likeness.serving.guard import SHORTEST_TOKEN
from likeness.serving.service import Service

_WAITING = 64  # connections at once; more are turned away with 503
_KEEP_ALIVE_SECONDS = 5

_log = logging.getLogger(__name__)


def run_server(
    source: str | Path,
    gallery: Path,
    *,
    host: str,
    port: int,
    token: str | None,
    refresh: float,
    tell: Callable[[str], None],
) -> None:
    """Serves until it is stopped.

    Args:
        source: of the model.
        gallery: the gallery's file.
        host: address to listen on.
        port: 0 takes a free one.
        token: what callers must know.
        refresh: seconds between looks for a newer model; 0: never.
        tell: says to the person where the page is.

    Raises:
        RequestError: the address is not loopback and there is no token, or it cannot be listened on.
        LikenessError: the model cannot be loaded.
    """
    loopback = is_loopback(host)
    check_token(token, loopback)
    cv2.setNumThreads(1)  # requests are answered beside each other; more threads in each would only wait
    service = Service(source, gallery)
    app = create_app(service, loopback=loopback, token=token, threads=len(os.sched_getaffinity(0)))
    listener = _listener(host, port)
    shown = f"[{host}]" if ":" in host else host
    tell(f"http://{shown}:{listener.getsockname()[1]}  (model {service.verifier.digest[:12]}; stop with Ctrl-C)")
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses and paths of people who use it are nobody's business
        server_header=False,
        limit_concurrency=_WAITING,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        ws="none",
    )
    stopped = threading.Event()
    if refresh > 0:
        threading.Thread(target=_keep_fresh, args=(service, refresh, stopped), daemon=True).start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        stopped.set()


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


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise RequestError(
            f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port or --host"
        ) from error
    return listener


def _keep_fresh(service: Service, seconds: float, stopped: threading.Event) -> None:
    while not stopped.wait(seconds):
        if service.refresh():
            _log.warning("a newer model is in use: %s", service.verifier.digest[:12])
