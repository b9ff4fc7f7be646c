"""Runs, registry and gate: the only room that imports MLflow, inside functions because that takes seconds."""
