from __future__ import annotations

from pathlib import Path

import pytest

from likeness.serving import bench_towers
from likeness.serving.bench_search import bench_search, memory_bandwidth


def test_both_runtimes_of_a_trained_model_are_timed(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_towers, "CONTESTANTS", {})
    figures = bench_towers.bench_towers({"mine": model_folder}, seconds=0.02)
    assert [(row.name, row.runtime) for row in figures] == [("mine", "torch"), ("mine", "onnx")]
    for row in figures:
        assert 0 < row.embedding_ms <= row.embedding_p99_ms
        assert row.per_second > 0
    assert figures[0].difference is None
    assert figures[1].difference == pytest.approx(0, abs=1e-4)


def test_searches_are_timed_and_their_answers_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = bench_search([2000], dim=32)
    assert row.kind == "exact"
    assert row.recall_enrolled == row.recall_unknown == 1
    assert 0 < row.p50_ms <= row.p99_ms
    assert row.floor_ms == pytest.approx(1e3 * 2000 * 32 * 4 / memory_bandwidth(), rel=9)
