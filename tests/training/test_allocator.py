from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from likeness.training.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        b"x" * 32_000_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
assert keep_freed_memory()
faults()
print(given_back, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_freed_memory_is_used_again_without_asking_the_kernel_for_pages() -> None:
    """Ten arrays of 32 MB: 7 812 pages each, asked for every time before and never afterwards."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, after = map(int, ended.stdout.split())
    assert before > 10_000
    assert after < 100
