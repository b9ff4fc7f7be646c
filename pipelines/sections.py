"""Every section of params.yaml and of operations.yaml, with the dataclass that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from likeness.data.protocol import SplitParams
from likeness.data.sources import DataParams, SyntheticParams
from likeness.evaluation.params import EvaluateParams
from likeness.models.architecture import ModelParams
from likeness.reporting.params import ReportParams
from likeness.tracking.gate import GateParams
from likeness.tracking.store import TrackingParams
from likeness.training.params import RecipeParams, TrainParams
from likeness.validation.params import ValidationParams
from pipelines.nightly.params import NightlyParams

PARAMS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "recipe": RecipeParams,
        "data": DataParams,
        "synthetic": SyntheticParams,
        "validate": ValidationParams,
        "split": SplitParams,
        "model": ModelParams,
        "train": TrainParams,
        "evaluate": EvaluateParams,
        "report": ReportParams,
    }
)
OPERATIONS: Mapping[str, type[Any]] = MappingProxyType(
    {"tracking": TrackingParams, "gate": GateParams, "nightly": NightlyParams}
)
