"""Runs a command where nothing outside can be reached, and records every name that it asks for.

The command gets a network namespace with a loopback interface alone. Its name server is ours: it answers every
question with 127.0.0.1 and writes the name down, so that a foreign request is seen before it connects.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

# Some programs send nothing where they believe to be tested.
CI_VARIABLES = frozenset(
    {
        *("APPVEYOR", "BUILDKITE", "BUILD_ID", "CI", "CIRCLECI", "CODEBUILD_BUILD_ID", "GITHUB_ACTIONS"),
        *("GITLAB_CI", "JENKINS_URL", "TEAMCITY_VERSION", "TF_BUILD", "TRAVIS"),
        *("PYTEST_CURRENT_TEST", "PYTEST_VERSION"),
    }
)
_NAMESPACE = (
    "ip link set lo up && mount --bind {resolver} /etc/resolv.conf && "
    'exec {python} {program} {names} {seconds} "$@"'
)
NEEDS_NAMESPACES = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"),
    reason="network namespaces need root, unshare (util-linux) and ip (iproute2)",
)


@dataclass(frozen=True)
class Recorded:
    """What became of a command: exit code, output, and the foreign names that it asked for, sorted."""

    code: int
    output: str
    names: tuple[str, ...]


def record(
    command: Sequence[str | Path],
    folder: Path,
    scratch: Path,
    *,
    seconds: float = 120,
    unset: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Recorded:
    """Runs a command in a namespace of its own.

    Args:
        command: program and arguments.
        folder: to run it in.
        scratch: an empty folder, which becomes its home.
        seconds: after which it is asked to stop (SIGINT).
        unset: variables of the environment that it must not see, beside those of CI.
        environ: variables to add.
    """
    hidden = CI_VARIABLES | set(unset)
    kept = {key: value for key, value in os.environ.items() if key not in hidden and "PROXY" not in key.upper()}
    resolver, names = scratch / "resolv.conf", scratch / "names"
    resolver.write_text("nameserver 127.0.0.1\n")
    names.touch()
    program = _NAMESPACE.format(
        resolver=resolver, python=sys.executable, program=__file__, names=names, seconds=seconds
    )
    done = subprocess.run(
        ["unshare", "--net", "--mount", "bash", "-c", program, "record", *map(str, command)],
        cwd=folder,
        env=kept | {"HOME": str(scratch)} | dict(environ or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 60,
    )
    asked = {name for name in names.read_text().split() if name not in ("localhost", socket.gethostname())}
    return Recorded(done.returncode, done.stdout, tuple(sorted(asked)))


def _serve(names: Path) -> None:
    """Answers questions for addresses (RFC 1035) with 127.0.0.1; for anything else there is no answer."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    with names.open("a", buffering=1) as log:
        while True:
            question, client = server.recvfrom(4096)
            at, labels = 12, []
            while question[at]:
                labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace"))
                at += 1 + question[at]
            log.write(".".join(labels) + "\n")
            (kind,) = struct.unpack(">H", question[at + 1 : at + 3])
            answers = b""
            if kind == 1:
                answers = b"\xc0\x0c" + question[at + 1 : at + 5] + struct.pack(">IH", 60, 4) + b"\x7f\0\0\1"
            counts = struct.pack(">HHH", 1 if answers else 0, 0, 0)
            head = question[:2] + b"\x81\x80" + question[4:6] + counts
            server.sendto(head + question[12 : at + 5] + answers, client)


def _main(names: str, seconds: str, *command: str) -> int:
    """Inside the namespace: the name server beside the command."""
    threading.Thread(target=_serve, args=(Path(names),), daemon=True).start()
    time.sleep(0.1)
    process = subprocess.Popen(command)
    try:
        return process.wait(float(seconds))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
