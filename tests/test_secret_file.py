from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from likeness.errors import OutputError
from likeness.secret_file import read_secret


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"
    secret = read_secret(path, "user:")
    assert secret.startswith("user:")
    assert len(secret) == len("user:") + 43
    assert read_secret(path, "user:") == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read_secret, [tmp_path / "secret"] * 64))) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 50, b"other:" + b"x" * 50])
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(OutputError, match="remove it"):
        read_secret(path, "user:")


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    read_secret(path)
    path.chmod(0o640)
    with pytest.raises(OutputError, match="mode 640, expected 600"):
        read_secret(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # root too cannot write below a file
    with pytest.raises(OutputError, match="make the folder writable"):
        read_secret(tmp_path / "file" / "secret")
