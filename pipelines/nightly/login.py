"""The login of the embedded Prefect server: made at first start, known to this user alone.

Whoever may write to the server's API may start runs, and so run code. It listens on loopback, where any other user
of the machine and any page in a browser can reach it; only who can read this file gets an answer.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from likeness.errors import OutputError
from pipelines.nightly.params import Places

USER = "likeness"
_BYTES = 32


def login_file(places: Places) -> Path:
    """The file that holds `user:password`, as the page asks for it."""
    return places.root / ".likeness" / "prefect-login"


def read_login(places: Places) -> str:
    """`user:password` of the embedded server; made where there is none yet.

    Raises:
        OutputError: the file cannot be made or read, or other users can read it.
    """
    path = login_file(places)
    if not path.exists():
        _make(path)
    return _checked(path)


def _make(path: Path) -> None:
    """Written beside its place and linked there, so that it is never seen half written or readable by others."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(f"{USER}:{secrets.token_urlsafe(_BYTES)}")
        with suppress(FileExistsError):  # another process was quicker
            os.link(name, path)
        Path(name).unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot be made ({error.strerror}); make the folder writable") from error


def _checked(path: Path) -> str:
    try:
        mode, login = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path}: cannot be read ({error}); remove it, a new login is made") from error
    if stat.S_IMODE(mode) & 0o077:
        raise OutputError(
            f"{path}: other users can read it (mode {stat.S_IMODE(mode):o}, expected 600); remove it, a new login "
            "is made"
        )
    if not login.startswith(f"{USER}:") or len(login) < _BYTES:
        raise OutputError(f"{path}: holds no login; remove it, a new one is made")
    return login
