"""The login of the embedded Prefect server: made at first start, known to this user alone.

Whoever may write to the server's API may start runs, and so run code.
"""

from __future__ import annotations

from pathlib import Path

from likeness.nightly.paths import ProjectPaths
from likeness.secret_file import read_secret

_USER = "likeness"


def login_file(paths: ProjectPaths) -> Path:
    """The file that holds `user:password`, as the page asks for it."""
    return paths.root / ".likeness" / "prefect-login"


def read_login(paths: ProjectPaths) -> str:
    """`user:password` of the embedded server; made where there is none yet.

    Raises:
        OutputError: the file cannot be made or read, or other users can read it.
    """
    return read_secret(login_file(paths), f"{_USER}:")
