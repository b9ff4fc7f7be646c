"""Stage 0, check: every parameter and setting, so that a wrong one is reported before anything else runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from likeness.errors import ModelError, ParamsError
from likeness.files import write_json
from likeness.models.towers.tower_card import require_faces
from likeness.operations import SECTIONS, read_operations
from likeness.params import load_document, sections_of
from pipelines._stage import run


def main(
    params: Annotated[Path, typer.Option(help="The params.yaml; operations.yaml is looked for beside it.")],
    out: Annotated[Path, typer.Option(help="File that says that all is well; its content never changes.")],
) -> None:
    """Reads all sections and builds what they describe; trains nothing and reads no photograph."""
    logging.info("loading PyTorch, to build what the parameters describe")
    from likeness.training.configuration import check_configuration
    from likeness.training.plan import networks_of

    sections = read_all(params)
    data = sections["data"]
    try:
        for network, _ in networks_of(sections["model"], sections["train"]):
            require_faces(network, data.cut.shape, data.align, data.crop)
        check_configuration(sections["model"], sections["train"], data.cut.shape, sections["split"].protocol)
    except (ParamsError, ModelError) as error:
        raise ParamsError(f"{params}: its sections do not go together, nothing was started\n  {error}") from error
    write_json(out, {"parameters": "valid"})


def read_all(params: Path) -> dict[str, Any]:
    """All sections of params.yaml, each in its dataclass, after a look at those of operations.yaml.

    Raises:
        ParamsError: all mistakes of both files.
    """
    found: dict[str, Any] = {}
    mistakes: list[str] = []
    for read in (_sections, _operations):
        try:
            found |= read(params)
        except ParamsError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ParamsError("\n".join(mistakes))
    return found


def _sections(path: Path) -> dict[str, Any]:
    from pipelines.sections import PARAMS

    document = load_document(path)
    if unknown := [str(name) for name in document if name not in {*PARAMS, *SECTIONS}]:
        raise ParamsError(
            f"{path}: unknown section {', '.join(unknown)}; known are {', '.join(PARAMS)}; nothing was started"
        )
    return dict(zip(PARAMS, sections_of(document, str(path), *PARAMS.values()), strict=True))


def _operations(path: Path) -> dict[str, Any]:
    from pipelines.sections import OPERATIONS

    return {section.SECTION: section for section in read_operations(path, *OPERATIONS)}


if __name__ == "__main__":
    run(main)
