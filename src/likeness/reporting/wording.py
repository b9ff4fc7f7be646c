"""Numbers in one style: thin spaces between thousands, shares as per cent with one decimal, the rest with three.

Times are seconds, minutes or hours with one decimal; ranges say their unit once.
"""

from __future__ import annotations

import math
import re
from typing import Any

from likeness.metrics.intervals import Estimate

NOTHING = "–"


def count(value: Any) -> str:
    """A whole number with thin spaces between thousands."""
    return NOTHING if value is None else f"{int(value):,}".replace(",", "\u202f")


def percent(value: float | None, digits: int = 1) -> str:
    """A share in [0, 1] as per cent."""
    return NOTHING if value is None or math.isnan(value) else f"{100 * value:.{digits}f}\u202f%"


def number(value: Any, digits: int = 4) -> str:
    """A number with so many significant digits; whole numbers whole."""
    if value is None or value != value:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    text = count(value) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.{digits}g}"
    return text.replace("-", "−", 1) if value < 0 else text


def decimal(value: float | None) -> str:
    """A score, a loss or an area with three decimals, or as many as three significant digits need."""
    if value is None or math.isnan(value):
        return NOTHING
    small = 0 < abs(value) < 0.1
    text = f"{value:#.3g}" if small else f"{value:,.3f}" if abs(value) < 100 else f"{value:,.1f}"
    return text.replace(",", "\u202f").replace("-", "−")


def unit_spaces(text: str) -> str:
    """The text with a thin space that does not break before each sign of per cent."""
    return re.sub(r"(?<=\d) %", "\u202f%", text)


def scientific(value: float) -> str:
    """A small rate, such as 1.50e-3, the same length whatever its size."""
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")


def duration(seconds: float | None) -> str:
    """Seconds as seconds, minutes or hours."""
    if seconds is None:
        return NOTHING
    if seconds < 100:
        return f"{seconds:.1f}\u202fs"
    if seconds < 5400:
        return f"{seconds / 60:.1f}\u202fmin"
    return f"{seconds / 3600:.1f}\u202fh"


def size(pair: Any) -> str:
    """Height × width in pixels."""
    return NOTHING if pair is None else f"{pair[0]}×{pair[1]}"


def measured(figure: Estimate | None, share: bool = True) -> str:
    """A measured figure with its 95 % interval, as per cent if it is a share."""
    if figure is None or math.isnan(figure.value):
        return NOTHING
    text = percent if share else decimal
    span = "" if math.isnan(figure.low) else f" ({_span(figure, share)})"
    return text(figure.value) + span


def interval(figure: Estimate, share: bool = True) -> str:
    """The 95 % interval of a figure alone."""
    if math.isnan(figure.low):
        return ""
    return f"95\u202f% interval {_span(figure, share)}"


def _span(figure: Estimate, share: bool) -> str:
    """Both limits, the unit once: 65.6 to 71.5 %."""
    if not share:
        return f"{decimal(figure.low)} to {decimal(figure.high)}"
    return f"{100 * figure.low:.1f} to {percent(figure.high)}"


def complement(figure: Estimate) -> Estimate:
    """One minus a share: the false non-match rate of a true match rate."""
    return Estimate(1 - figure.value, 1 - figure.high, 1 - figure.low, figure.n)


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def rate(name: str) -> str:
    """The rate in the name of a figure in percent: tmr_at_fmr_1e-2 becomes 1 %."""
    return f"{100 * level(name):g}\u202f%"


def level(name: str) -> float:
    """The rate in the name of a figure: 0.01 for tmr_at_fmr_1e-2, tpir_at_fpir_1e-2 and fmr_0.01."""
    return float(re.split("(?:fmr|fpir)_", name)[-1].replace("_", "."))
