"""Marks the runs of a sweep, so that they are kept apart from all others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from likeness.artifacts.run_note import RunNote
from likeness.project import main_repository
from likeness.tracking.mlflow_store import connect, one_line

_log = logging.getLogger(__name__)


def tag_sweep(run: RunNote, tags: Mapping[str, str], folder: Path) -> bool:
    """Tags the run of a finished training. Never fails.

    Args:
        run: of the training.
        tags: such as `sweep`, the name of the plan.
        folder: of the project.

    Returns:
        Whether the run bears the tags now; where not, one line of warning has said why.
    """
    if run.run_id is None:
        return False
    try:
        store = connect(run.uri, main_repository(folder))
        for key, value in tags.items():
            store.client.set_tag(run.run_id, key, value)
        return True
    except Exception as error:
        _log.warning("tracking: a run of the sweep is not tagged: %s", one_line(error))
        return False
