"""Switches off what dependencies would send to their makers.

Each of them reads its switch from the environment when it is imported, so every program of ours calls
`disable_telemetry` first, and so does the one module that imports ONNX Runtime. A value that the user has set
stays.
"""

from __future__ import annotations

import os

SWITCHES = {
    "DO_NOT_TRACK": "1",  # Prefect's client, MLflow
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # its second page asks a foreign host although analytics are off
}


def disable_telemetry() -> None:
    """Sets the switch of every dependency in this process's environment, and so in its children's."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
