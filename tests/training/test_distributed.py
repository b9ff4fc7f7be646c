from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from likeness.errors import ParamsError
from likeness.training.distributed import DistributedContext, choose_device
from tests.training.parallel import outcome


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes under torchrun have trained together."""
    place = tmp_path_factory.mktemp("two")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    ended = subprocess.run(
        [*launcher, "-m", "tests.training.parallel", str(place)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return place


@pytest.mark.parametrize("recipe", ["pairs", "identities"])
def test_two_processes_reach_the_losses_and_weights_of_one(recipe: str, folder: Path, tmp_path: Path) -> None:
    leader, other = (json.loads((folder / f"process-{leads}.json").read_text()) for leads in (1, 0))
    assert leader["leads"] == [[1.0, 2.0]]
    assert leader[recipe] == other[recipe]  # both hold the same network
    alone = outcome(tmp_path)[recipe]
    for ours, theirs in zip(leader[recipe], alone, strict=True):
        assert ours == pytest.approx(theirs, rel=2e-4, abs=2e-5)


@pytest.mark.parametrize(("count", "size"), [(7, 2), (8, 3), (2, 2), (5, 5)])
def test_shares_cover_a_batch_once_and_evenly(count: int, size: int) -> None:
    worlds = [DistributedContext(torch.device("cpu"), rank, size) for rank in range(size)]
    places = [place for world in worlds for place in range(count)[world.shard(count)]]
    assert places == list(range(count))
    assert max(worlds[0].shard_sizes(count)) - min(worlds[0].shard_sizes(count)) <= 1


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ParamsError, match="expected auto, cpu or cuda, found gpu"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ParamsError, match="torch finds no GPU"):
            choose_device("cuda")
