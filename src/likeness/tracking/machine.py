"""Use of processor, memory and GPU while a run is trained, as MLflow shows it under System metrics."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

_STOP_SECONDS = 5.0  # a store that does not answer must not hold up the end of a training


def watch_machine(uri: str, run_id: str) -> SystemMetricsMonitor:
    """Starts a thread that notes the machine's use every ten seconds; a resumed run's curves go on."""
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    logging.getLogger(SystemMetricsMonitor.__module__).setLevel(logging.ERROR)
    monitor = SystemMetricsMonitor(run_id, resume_logging=True, tracking_uri=uri)  # type: ignore[no-untyped-call]
    monitor.start()  # type: ignore[no-untyped-call]
    return monitor


def stop_watching(monitor: SystemMetricsMonitor) -> None:
    """Ends the thread, within seconds."""
    ending = threading.Thread(target=monitor.finish, daemon=True)
    ending.start()
    ending.join(_STOP_SECONDS)
