"""`make ui`: no page of another site reads or changes the runs, under whatever name it reaches the server."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.nightly.toy_project import ROOT, environment, free_port, processes_in, wait_until

READ = "/api/2.0/mlflow/experiments/search?max_results=1"
CREATE = "/api/2.0/mlflow/experiments/create"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real `make ui`; its address. At the end nothing of it runs."""
    folder, port = tmp_path_factory.mktemp("ui"), str(free_port())
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("src", "pipelines"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    command = ["make", "ui", "-o", ".venv/.installed"]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(MLFLOW_PORT=port), stdout=log, stderr=log, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "log.txt").read_text()
        try:
            return httpx.get(f"{url}/health").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(answers, 120, "the page answers")
    yield url
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    wait_until(lambda: not processes_in(folder), 20, "nothing of it runs")


@pytest.mark.attack("1")
def test_a_foreign_name_of_the_server_is_refused(address: str) -> None:
    assert httpx.get(address + READ).status_code == 200
    assert httpx.get(address + READ, headers={"Host": "rebound.example"}).status_code == 403


@pytest.mark.attack("1")
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_another_sites_page_changes_and_reads_nothing(address: str, kind: str) -> None:
    foreign = {"Origin": "http://evil.example"}
    refused = httpx.post(address + CREATE, content='{"name": "x"}', headers=foreign | {"Content-Type": kind})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in httpx.get(address + READ, headers=foreign).headers
