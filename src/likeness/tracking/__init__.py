"""Runs, registry and gate: MLflow is imported inside functions, because that takes seconds."""
