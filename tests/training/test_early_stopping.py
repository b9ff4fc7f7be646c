from __future__ import annotations

import pytest

from likeness.artifacts.history import EpochRecord
from likeness.training.early_stopping import EarlyStopping, StoppingParams


def record(
    epoch: int, loss: float = 1.0, accuracy: float = 0.5, auc: float = 0.5, penalty: float = 0.0
) -> EpochRecord:
    return EpochRecord(epoch, 0.0, None, loss, accuracy, auc, 0.0, 0.0, 0.0, penalty, 1.0)


def watch(params: StoppingParams, records: list[EpochRecord]) -> tuple[int, int]:
    """Epoch after which training stops, and the one whose weights are kept."""
    stopper = EarlyStopping(params)
    for entry in records:
        stopper.update(entry)
        if stopper.out_of_patience:
            break
    return entry.epoch, stopper.best_epoch


def test_patience_counts_epochs_without_enough_improvement_and_the_best_is_kept_however_small_its_lead() -> None:
    losses = [1.0, 0.7, 0.65, 0.66, 0.61, 0.9]  # from 0.7 on never better by 0.1
    records = [record(epoch, loss) for epoch, loss in enumerate(losses, start=1)]
    assert watch(StoppingParams(patience=3, min_delta=0.1), records) == (5, 5)
    assert watch(StoppingParams(patience=2, min_delta=0.1), records) == (4, 3)


def test_no_patience_never_stops() -> None:
    records = [record(epoch, 1.0 + epoch) for epoch in range(1, 9)]
    assert watch(StoppingParams(patience=None), records) == (8, 1)


@pytest.mark.parametrize(("monitor", "best"), [("loss", 1), ("penalised-loss", 3), ("auc", 2), ("accuracy", 3)])
def test_each_figure_can_be_watched(monitor: str, best: int) -> None:
    records = [
        record(1, loss=0.1, auc=0.6, accuracy=0.6, penalty=5.0),
        record(2, loss=0.2, auc=0.9, accuracy=0.7, penalty=4.0),
        record(3, loss=0.3, auc=0.8, accuracy=0.8, penalty=1.0),
    ]
    assert watch(StoppingParams(monitor=monitor, min_delta=0.0), records)[1] == best


def test_the_last_epoch_can_be_kept_instead() -> None:
    records = [record(1, 0.1), record(2, 0.2), record(3, 0.3)]
    assert watch(StoppingParams(keep="last"), records) == (3, 3)


def test_a_restored_stopper_goes_on_counting() -> None:
    params = StoppingParams(patience=2)
    stopper = EarlyStopping(params)
    for epoch in (1, 2):
        stopper.update(record(epoch))
    restored = EarlyStopping(params, **stopper.state())
    restored.update(record(3))
    assert restored.out_of_patience
