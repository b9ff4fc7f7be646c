"""Alters the seed files of every reader for a while; reports what is neither read nor refused in a sentence.

    python -m tests.fuzz [--seconds 120] [--seed 1] [--target images ...]
    python -m tests.fuzz --repeat fuzz-failures/images-0123456789ab

Exit code 1 if an input failed, was lost, or had to be ended; each distinct one is kept in fuzz-failures/.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from likeness.isolation import Worker
from tests.fuzz.running import LIMITS, WARMING, Tally, execute, explore
from tests.fuzz.targets import TARGETS

KEPT = Path("fuzz-failures")
_SHOWN = 6  # last lines of a failure; --repeat prints them all
_SLOW = 2.0  # seconds from which on the slowest input is kept; this alone is no failure
_ROUND = 5.0  # seconds that a target gets at a time, at most


def fuzz(names: list[str], seconds: float, number: int, kept: Path) -> dict[str, Tally]:
    """Gives every target the same share of the time; returns the tallies by target."""
    tallies = {name: Tally() for name in names}
    rounds = max(1, round(seconds / (_ROUND * len(names))))
    with ExitStack() as stack:
        os.environ["TMPDIR"] = stack.enter_context(
            tempfile.TemporaryDirectory()
        )  # of the workers, which are killed
        workers = {name: stack.enter_context(Worker(WARMING)) for name in names}
        for name, worker in workers.items():  # the first input takes the imports, which are not counted
            worker.call(execute, name, TARGETS[name].seeds()[0])
            worker.limits = LIMITS
        for turn in range(rounds):
            for name in names:
                share = seconds / (rounds * len(names))
                explore(name, share, number + turn, tallies[name], workers[name], kept)
    return tallies


def table(tallies: Mapping[str, Tally]) -> str:
    """The report."""
    names = ("inputs", "read", "refused", "failures", "peak MB", "longest s", "kills", "losses")
    head = f"{'target':<12}" + "".join(f"{name:>10}" for name in names)
    rows = [
        f"{name:<12}{one.inputs:>10}{one.counts['read']:>10}{one.counts['refused']:>10}{len(one.failures):>10}"
        f"{one.memory >> 20:>10}{one.longest:>10.2f}{one.counts['killed']:>10}{one.counts['lost']:>10}"
        for name, one in tallies.items()
    ]
    return "\n".join([head, *rows])


def repeat(path: Path) -> int:
    """Runs one kept input again, in this process; 1 if it still fails."""
    outcome = execute(path.name.rsplit("-", 1)[0], path.read_bytes())
    print(f"{outcome.kind} in {outcome.seconds:.2f} s\n{outcome.detail}")
    return int(outcome.kind in ("failed", "lost"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=None, help="without it another one each time")
    parser.add_argument("--target", action="append", choices=list(TARGETS))
    parser.add_argument("--repeat", type=Path)
    arguments = parser.parse_args()
    if arguments.repeat:
        return repeat(arguments.repeat)
    number = arguments.seed if arguments.seed is not None else random.randrange(1 << 30)
    print(f"seed {number}", flush=True)
    KEPT.mkdir(exist_ok=True)
    tallies = fuzz(arguments.target or list(TARGETS), arguments.seconds, number, KEPT)
    print(table(tallies))
    for name, one in tallies.items():
        if one.longest > _SLOW:
            (KEPT / f"{name}-slowest").write_bytes(one.slowest)
            print(f"\n{name}: {one.longest:.2f} s: python -m tests.fuzz --repeat {KEPT / name}-slowest")
        for place, detail in one.failures.items():
            kept, *lines = detail.splitlines()
            print(
                "\n".join(
                    ["", f"{name}: {place}", f"repeat: python -m tests.fuzz --repeat {kept}", *lines[-_SHOWN:]]
                )
            )
    return int(any(one.failures for one in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
