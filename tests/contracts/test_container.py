"""The container file: its base has a digest, it installs the lock and does not run as root."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
LINES = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8")).splitlines()
pytestmark = pytest.mark.attack("15")


def values(instruction: str) -> list[str]:
    return [line.removeprefix(instruction).strip() for line in LINES if line.startswith(f"{instruction} ")]


def test_the_base_is_an_argument_with_a_digest_that_must_be_given() -> None:
    assert values("FROM") == ["${BASE_IMAGE}@${BASE_DIGEST}"]
    assert "BASE_DIGEST" in values("ARG")  # without a value: a build that names none fails


def test_the_image_does_not_run_as_root() -> None:
    users = values("USER")
    assert users
    assert users[-1] not in ("root", "0")


def test_packages_come_from_the_lock_alone() -> None:
    run = " ".join(values("RUN"))
    assert "make .venv/.installed" in run
    assert "pip install" not in run


def test_the_templates_do_not_ask_for_root() -> None:
    job = yaml.safe_load((DEPLOY / "kubernetes-job.yaml").read_text(encoding="utf-8"))
    assert job["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    docker = json.loads((DEPLOY / "docker-job.json").read_text(encoding="utf-8"))
    container = docker["job_configuration"]["container_create_kwargs"]
    assert container["security_opt"] == ["no-new-privileges"]
    assert container["cap_drop"] == ["ALL"]
    assert "privileged" not in container
