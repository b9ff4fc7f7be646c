"""Refuses a params.yaml or operations.yaml that cannot be read, before DVC fails on it in words of its own.

    python -m pipelines.readable

Without torch and DVC it takes a tenth of a second. What the sections hold is checked by the stage `check`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from likeness.errors import ParamsError
from likeness.yaml_file import read_yaml

FILES = ("params.yaml", "operations.yaml")


def main() -> None:
    """Reads each of the files; ends with 2 and a sentence where one cannot be."""
    try:
        for name in FILES:
            read_yaml(Path(name))
    except ParamsError as error:
        print(f"{error}. Nothing was started", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
