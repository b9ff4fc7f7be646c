"""Every section of params.yaml and of operations.yaml, with the dataclass that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from likeness.data.protocol import SplitParams
from likeness.data.sources import DataParams, SyntheticParams
from likeness.evaluation.params import EvaluateParams
from likeness.models.architecture import ModelParams
from likeness.nightly.params import NightlyParams
from likeness.params import ParamsSection
from likeness.reporting.params import ReportParams
from likeness.tracking.gate import GateParams
from likeness.tracking.mlflow_store import TrackingParams
from likeness.training.params import RecipeParams, TrainParams
from likeness.validation.params import ValidationParams

_OF_PARAMS: tuple[type[ParamsSection], ...] = (
    RecipeParams,
    DataParams,
    SyntheticParams,
    ValidationParams,
    SplitParams,
    ModelParams,
    TrainParams,
    EvaluateParams,
    ReportParams,
)

PARAMS: Mapping[str, type[ParamsSection]] = MappingProxyType({kind.SECTION: kind for kind in _OF_PARAMS})
OPERATIONS = (TrackingParams, GateParams, NightlyParams)
