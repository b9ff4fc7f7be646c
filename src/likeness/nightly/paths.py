"""Files and folders that the nightly run uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProjectPaths:
    """Files and folders of a project, below its root."""

    root: Path

    @property
    def params(self) -> Path:
        """The params.yaml."""
        return self.root / "params.yaml"

    @property
    def incoming(self) -> Path:
        """New photographs, put there by anybody."""
        return self.root / "data" / "incoming"

    @property
    def quarantine(self) -> Path:
        """Bad files, each with a text beside it."""
        return self.root / "data" / "quarantine"

    @property
    def staging(self) -> Path:
        """Copies of what has arrived, while it is validated; on the same disk as the collection."""
        return self.root / "data" / ".arrived"

    @property
    def batch(self) -> Path:
        """Result of each file of the last batch, with the reason; it names people, and stays on this machine."""
        return self.state / "batch.json"

    @property
    def failure(self) -> Path:
        """The failure of the stage that failed last."""
        return self.state / "failure.json"

    @property
    def collected(self) -> Path:
        """The list of the collected photographs."""
        return self.root / "data" / "collected.json"

    @property
    def faces(self) -> Path:
        """The data set."""
        return self.root / "data" / "faces"

    @property
    def model(self) -> Path:
        """The model that was trained last, which need not be the one that serves."""
        return self.root / "models" / "model"

    @property
    def reports(self) -> Path:
        """Reports of the stages."""
        return self.root / "reports"

    @property
    def nightly_runs(self) -> Path:
        """A record for each nightly run."""
        return self.reports / "nightly"

    @property
    def state(self) -> Path:
        """Lock and state of the nightly run."""
        return self.root / ".likeness" / "nightly"
