"""Names for people who do not exist, put together from syllables: First_Last, as LFW writes them."""

from __future__ import annotations

import functools
import itertools
import math

from drawnfaces.chance import NAMES, Chance

_FIRST_STARTS = (
    "Al Bel Bren Cal Cor Da Dar El Em Fa Fen Gar Ha Hal Is Jo Ka Kel La Lor Ma Mar Mi Na Nor O Pa Per Quin Ra "
    "Ro Sa Sel Ta Tor U Va Vin Wen Ya Ze"
)
_FIRST_ENDS = (
    "da dan den dis la lan len lia lin lo mar mas mer min na nel nis no ra ren ric rin ro sa sha sten ta tan "
    "ther tis va van vin wen win ya za"
)
_LAST_STARTS = (
    "Ab Ach Ald Ar Ban Bar Ber Bra Bur Cam Cast Col Cran Dal Dor Dren Eck Els Fal Far Fen Gal Gran Had Hart "
    "Hol Ing Kar Kess Kol Lan Lind Mac Mar Mel Mor Nag Nor Oak Ols Pal Pen Quill Ram Rav Ros Sand Sav Sor "
    "Stan Tam Thor Tol Ul Van Ver Wal Wes Yar Zel"
)
_LAST_ENDS = (
    "aby ack aldi amoto ander anek ard ari arro beck berg bridge by dal dano den er ero esco eva field ford "
    "gate grove ham idze ing ini ison kamp ke land ley man mere mont moor nell oshi ovic qvist rell rick roth "
    "sen shaw so stad strom ton ura vale veld wald ward well wick wood worth yan"
)


def person_name(seed: int, person: int) -> str:
    """The name of a person by number; different for every number below three million.

    The numbers walk through all combinations in strides that share no factor with their count, so that none
    comes twice and neighbours have nothing in common.
    """
    firsts, lasts = _combined(_FIRST_STARTS, _FIRST_ENDS), _combined(_LAST_STARTS, _LAST_ENDS)
    count = len(firsts) * len(lasts)
    start, stride = _walk(seed, count)
    first, last = divmod((start + stride * person) % count, len(lasts))
    return f"{firsts[first]}_{lasts[last]}"


@functools.cache
def _combined(starts: str, ends: str) -> list[str]:
    return sorted({start + end for start, end in itertools.product(starts.split(), ends.split())})


@functools.cache
def _walk(seed: int, count: int) -> tuple[int, int]:
    chance = Chance(seed, NAMES)
    start, stride = chance.whole(0, count), chance.whole(count // 3, count)
    while math.gcd(stride, count) > 1:
        stride += 1
    return start, stride
