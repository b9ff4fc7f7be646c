"""How MLflow's page shows the experiment: as runs of trainings, with the columns that compare them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

VIEW = "likeness"
_KIND = "mlflow.experimentKind"
_SHARED = f"mlflow.sharedViewState.{VIEW}"
_COLUMNS = (
    *(f"tags.`{name}`" for name in ("recipe", "data", "changes", "test accuracy")),
    *(f"metrics.`test/{name}`" for name in ("accuracy", "auc", "accuracy_of_baseline")),
    *(f"tags.`{name}`" for name in ("protocol", "outside_data", "data.short", "git.short", "dvc.experiment")),
)


def runs_address(server: str, experiment_id: str) -> str:
    """Where the runs of an experiment are shown with the columns above."""
    return f"{server}/#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"


def tag_experiment(client: MlflowClient, experiment_id: str) -> None:
    """Sets what the page reads; without a kind it opens the view of language models' traces."""
    known = client.get_experiment(experiment_id).tags
    state = {
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "selectedColumns": list(_COLUMNS),
    }
    for key, value in ((_KIND, "custom_model_development"), (_SHARED, json.dumps(state))):
        if known.get(key) != value:
            client.set_experiment_tag(experiment_id, key, value)
