"""Standard output that takes every name, and whose failure is reported in a sentence."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from likeness.errors import OutputError

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def reported_output() -> Iterator[None]:
    """Runs a program's body with output that is written to its end, or reported where it cannot be.

    Characters that the terminal or file cannot encode, such as a file name that is no UTF-8, are escaped.

    Raises:
        OutputError: the disk or quota behind standard output is full, or the device fails.
        SystemExit: with 128 + SIGPIPE where the reader of standard output is gone, as shells report it.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        raise SystemExit(128 + 13) from None
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _discard_output()
        raise OutputError(f"the output cannot be written in full: {os.strerror(error.errno or 0)}") from error


def _discard_output() -> None:
    """Lets what is still buffered go nowhere, else the interpreter fails on it once more when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
