from __future__ import annotations

import subprocess
import sys


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_torchvision_imports_through_one_module_in_a_fresh_process() -> None:
    code = "from likeness.models import vision; print(vision.MobileNetV2.__name__, vision.has_compiled_ops())"
    assert _run(code) in ("MobileNetV2 True", "MobileNetV2 False")


def test_a_card_is_read_and_an_exported_tower_runs_without_torch() -> None:
    code = "import sys; from likeness.models import card, onnx_tower, preprocess; print('torch' in sys.modules)"
    assert _run(code) == "False"


def test_only_the_mobile_network_waits_for_torchvision() -> None:
    assert _run("import sys; from likeness.models import network; print('torchvision' in sys.modules)") == "False"
