"""Limits of address space (`ulimit -v`, RLIMIT_AS) under which the libraries in use fail in ways of their own."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sys
from typing import NoReturn

from likeness.errors import MemoryLimitError

MINIMUM = 1 << 30
"""Bytes of address space. Below half of it NumPy, OpenCV or ONNX Runtime end the process at their import."""

_LOADER = "failed to map segment"  # glibc's words where a library does not fit


TRAINING = 8 << 30
"""Likewise for the targets of make: torch, DVC and MLflow reserve far more than they use."""


def check_memory_limit(minimum: int = MINIMUM) -> None:
    """Called before any of the libraries is imported.

    Args:
        minimum: bytes of address space that are needed.

    Raises:
        MemoryLimitError: this process is limited to less.
    """
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < minimum:
        raise MemoryLimitError(
            f"this process may use {limit >> 20} MB of address space, and Likeness needs {minimum >> 20} MB: "
            "raise the limit (ulimit -v)"
        )


def explain_memory(error: Exception) -> MemoryLimitError | None:
    """A sentence for an error that says that there was no memory left; None for any other."""
    if not (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, ImportError) and _LOADER in str(error))
    ):
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return MemoryLimitError("there is no memory left for this; close other programs, or ask for less at once")
    return MemoryLimitError(
        f"the {limit >> 20} MB of address space that this process may use are too little for this: raise the "
        "limit (ulimit -v)"
    )


def end_at_once(code: int) -> NoReturn:
    """Ends the process without the exit handlers of libraries, which fail where memory is short."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)
