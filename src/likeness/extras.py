"""Which extra of the distribution has a package that is not installed, such as `likeness-verify[serve]`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from likeness._version import DISTRIBUTION
from likeness.errors import MissingPackageError

EXTRAS: dict[str, tuple[str, ...]] = {
    "serve": ("fastapi", "jinja2", "multipart", "starlette", "uvicorn"),
    "faiss": ("faiss",),
    "train": (
        *("captum", "onnx", "onnxscript", "pandas", "psutil", "pyarrow", "pytorch_metric_learning", "requests"),
        *("scipy", "sklearn", "threadpoolctl", "torch", "torchvision"),
    ),
    "pipeline": ("altair", "dvc", "great_expectations", "hydra", "mlflow", "sqlalchemy", "vl_convert"),
    "nightly": ("cronsim", "prefect"),
}
"""Packages by the name with which they are imported, under the first extra that has them."""


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Around the imports of a part that needs an extra.

    Args:
        extra: its name in `EXTRAS`.

    Raises:
        MissingPackageError: a package of any extra is not installed; the message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (explained := explain(error, extra)) is None:
            raise
        raise explained from error


def explain(error: ModuleNotFoundError, extra: str | None = None) -> MissingPackageError | None:
    """What to install where a package of an extra is missing; None for any other module.

    Args:
        error: of the import.
        extra: the extra to name where it is known; by default the first that has the package.
    """
    name = (error.name or "").partition(".")[0]
    found = next((each for each, packages in EXTRAS.items() if name in packages), None)
    if found is None:
        return None
    wanted = f"{DISTRIBUTION}[{extra or found}]"
    return MissingPackageError(f"this needs the package {name}, which is not installed: pip install '{wanted}'")
