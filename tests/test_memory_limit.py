from __future__ import annotations

import errno
import resource
import subprocess
import sys

import pytest

from likeness.memory_limit import explain_memory

MB = 1 << 20


def limited(megabytes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`likeness` with so much address space."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * MB, megabytes * MB))

    command = [sys.executable, "-m", "likeness", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)


@pytest.mark.attack("13")
@pytest.mark.parametrize("megabytes", [50, 100, 200, 300, 400, 700])
def test_a_small_limit_of_address_space_is_one_sentence(megabytes: int) -> None:
    """Of the libraries some end with a traceback under it, some with a line of their own, some with SIGSEGV."""
    done = limited(megabytes, "verify", "a.jpg", "b.jpg")
    assert done.returncode == 2
    expected = f"this process may use {megabytes} MB of address space, and Likeness needs 1024 MB"
    assert done.stderr == f"{expected}: raise the limit (ulimit -v)\n"


@pytest.mark.attack("13")
def test_a_limit_that_is_met_later_is_one_sentence() -> None:
    """The command imports torch, MLflow and DVC, to name their versions; where that fits, it runs."""
    done = limited(1024, "doctor")
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 1


def test_with_enough_the_command_runs() -> None:
    done = limited(4096, "--version")
    assert (done.returncode, done.stderr) == (0, "")


def test_only_errors_of_memory_are_explained_as_such() -> None:
    for error in (MemoryError(), OSError(errno.ENOMEM, "x"), ImportError("a.so: failed to map segment from ...")):
        assert "memory" in str(explain_memory(error))
    for other in (ValueError("x"), OSError(errno.ENOENT, "x"), ImportError("x")):
        assert explain_memory(other) is None
