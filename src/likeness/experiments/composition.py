"""The parameters that Hydra composes from conf/, as `dvc exp run -S` writes them into params.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def compose_params(root: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """All sections of params.yaml as plain nested values.

    Args:
        root: the project, which holds `conf/`.
        overrides: Hydra's, such as `recipe=koch` or `train.seed=1`.
    """
    from hydra import compose, initialize_config_dir  # takes half a second to import
    from omegaconf import OmegaConf

    with initialize_config_dir(str(root / "conf"), version_base=None):
        values = OmegaConf.to_container(compose("config", overrides=list(overrides)), resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}
