"""Secrets that a service makes at its first start and that this user alone can read.

A service on loopback can be reached by every user of the machine and by every page in a browser. Only who can read
the secret's file gets an answer.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from likeness.errors import OutputError

_BYTES = 32


def read_secret(path: Path, prefix: str = "") -> str:
    """The secret that a file holds; made where there is no file yet.

    Args:
        path: the file; mode 0600.
        prefix: what precedes the random part, such as `user:`.

    Returns:
        The prefix and 43 random characters that need no quoting in a URL.

    Raises:
        OutputError: the file cannot be made or read, other users can read it, or it holds something else.
    """
    if not path.exists():
        _make(path, prefix)
    return _checked(path, prefix)


def _make(path: Path, prefix: str) -> None:
    """Written beside its place and linked there, so that it is never seen half written or readable by others."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(prefix + secrets.token_urlsafe(_BYTES))
        with suppress(FileExistsError):  # another process was quicker
            os.link(name, path)
        Path(name).unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot be made ({error.strerror}); make the folder writable") from error


def _checked(path: Path, prefix: str) -> str:
    try:
        mode, secret = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path}: cannot be read ({error}); remove it, a new secret is made") from error
    if stat.S_IMODE(mode) & 0o077:
        raise OutputError(
            f"{path}: other users can read it (mode {stat.S_IMODE(mode):o}, expected 600); remove it, "
            "a new secret is made"
        )
    if not secret.startswith(prefix) or len(secret) < len(prefix) + _BYTES:
        raise OutputError(f"{path}: holds no secret; remove it, a new one is made")
    return secret
