"""Keeps the allocator from giving memory back between steps, which costs up to half of a CPU's training time."""

from __future__ import annotations

import ctypes
import logging

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # from glibc's malloc.h
_NEVER = 2**31 - 1
_PAD = 64 << 20

log = logging.getLogger(__name__)


def keep_freed_memory() -> bool:
    """Makes glibc keep freed memory for this process's next allocation.

    By default it maps every large array again and unmaps it when freed, and the kernel zeroes each page of it
    again: S1's activations are 150 MB each, and filling fresh pages took as long as the convolutions. What is
    freed is no longer handed back before the process ends. Any other C library is left as it is.

    Returns:
        Whether the setting was understood.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        log.debug("no glibc: freed memory goes back to the system between steps")
        return False
    return all(
        mallopt(name, value) for name, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER), (_M_TOP_PAD, _PAD))
    )
