"""The command `likeness`, and `python -m likeness`: checks the memory limit before large imports."""

from __future__ import annotations

import sys
from typing import NoReturn

from likeness.errors import MemoryLimitError
from likeness.memory_limit import check_memory_limit, explain_memory


def main() -> None:
    """Runs the command line."""
    try:
        check_memory_limit()
        from likeness.cli import main as run
    except MemoryLimitError as error:
        _refuse(error)
    except Exception as error:
        if (explained := explain_memory(error)) is None:
            raise
        _refuse(explained)
    run()


def _refuse(error: MemoryLimitError) -> NoReturn:
    print(error, file=sys.stderr)
    raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
