"""What every tower must decide: how wide its layers are, and which pictures are too small for it."""

from __future__ import annotations

from likeness.errors import ModelError


def scaled(channels: int, width: float, multiple: int = 8) -> int:
    """`channels` times the width multiplier, rounded to a positive multiple that vector units like."""
    return max(multiple, int(channels * width / multiple + 0.5) * multiple)


def require_size(backbone: str, input_size: tuple[int, int], minimum: tuple[int, int]) -> None:
    """Refuses pictures on which a tower's layers would run out of pixels.

    Raises:
        ModelError: height or width is below the minimum.
    """
    if input_size[0] < minimum[0] or input_size[1] < minimum[1]:
        raise ModelError(
            f"the {backbone} network needs pictures of at least {minimum[0]}×{minimum[1]} pixels "
            f"(height × width), found {input_size[0]}×{input_size[1]}; "
            "store larger faces or choose another backbone"
        )


def halved(size: tuple[int, int], times: int = 1) -> tuple[int, int]:
    """Height and width of a map after `times` halvings that round up, as padded strides of 2 do."""
    for _ in range(times):
        size = ((size[0] + 1) // 2, (size[1] + 1) // 2)
    return size
