"""The one module that imports ONNX Runtime, whose telemetry is switched off before it is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from likeness.errors import ModelError
from likeness.telemetry import disable_telemetry


def open_session(model: Path | bytes, threads: int) -> Any:
    """An ONNX Runtime session on the CPU, of a file or of its content.

    Raises:
        ModelError: the file is missing or is no ONNX network, or ONNX Runtime is not installed.
    """
    disable_telemetry()
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError("ONNX networks need the package onnxruntime; install it with pip") from error
    name = str(model) if isinstance(model, Path) else "the stored ONNX network"
    if isinstance(model, Path) and not model.is_file():
        raise ModelError(f"{name}: no such ONNX file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only; the rest would go to a user's terminal
    content = str(model) if isinstance(model, Path) else model
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no other base
        raise ModelError(f"{name}: cannot be run by ONNX Runtime ({error})") from error
