"""Hypothesis strategies that alter seed files: bits, numbers, pieces, words, and mixtures of two seeds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import strategies as st

_NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
_BYTES = [b"\0", b"\xff", b"\xff\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b"\r\n", b"\t", bytes(64)]
_WORDS = [
    *(
        b"null",
        b"true",
        b"-1",
        b"0",
        b"1.5",
        b"1e999",
        b"NaN",
        b"-Infinity",
        b"Infinity",
        b"2026-02-30",
        b"12:99:99",
    ),
    *(b'"', b"'", b"{}", b"[]", b"[[]]", b"{a: &x [*x]}", b"*unknown", b"!!python/none x", b"!!binary x"),
    *(b"<<: {a: 1}", b"? x", b"---", b"a: " * 500, b"[" * 3000, b"{" * 3000, b"9" * 400, b"9" * 5000),
    *(b"0x" + b"f" * 6000, b"\\ud800", b"\xed\xa0\x80", b"Zoe\xcc\x88", b"Zo\xeb", b"\x1b[2J"),
    *(b"../../x", b"%00", b"%ff", b"http://[", b"charset=punycode", b"charset=undefined"),
]
_LARGEST = 1 << 20


@st.composite
def altered(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """A seed with up to six alterations; now and then the seed itself."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 6))):
        data = draw(st.sampled_from(_ALTERATIONS))(draw, data, seeds)[:_LARGEST]
    return data


def _at(draw: st.DrawFn, data: bytes) -> int:
    """A place in the data; half of the time among the first bytes, where headers are."""
    last = len(data)
    return draw(st.integers(0, min(last, 64))) if draw(st.booleans()) else draw(st.integers(0, last))


def _flip(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = _at(draw, data)
    changed = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in data[at : at + 1])
    return data[:at] + changed + data[at + 1 :]


def _number(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at, size = _at(draw, data), draw(st.sampled_from([1, 2, 4]))
    value = draw(st.sampled_from(_NUMBERS)) & (1 << 8 * size) - 1
    order = draw(st.sampled_from(["big", "little"]))
    return data[:at] + value.to_bytes(size, order) + data[at + size :]


def _insert(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = _at(draw, data)
    return data[:at] + draw(st.one_of(st.sampled_from(_BYTES), st.binary(max_size=16))) + data[at:]


def _word(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Puts a word in the place of one; words are what is between blanks and punctuation."""
    found = [match.span() for match in re.finditer(rb"[^\s:,\[\]{}]+", data[:4096])]
    start, end = draw(st.sampled_from(found)) if found else (0, 0)
    return data[:start] + draw(st.sampled_from(_WORDS)) + data[end:]


def _delete(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = _at(draw, data)
    return data[:at] + data[at + draw(st.integers(1, 64)) :]


def _repeat(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at, size = _at(draw, data), draw(st.integers(1, 512))
    return data[:at] + data[at : at + size] * draw(st.sampled_from([2, 3, 100])) + data[at + size :]


def _truncate(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return data[: _at(draw, data)]


def _splice(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = draw(st.sampled_from(seeds))
    return data[: _at(draw, data)] + other[_at(draw, other) :]


_ALTERATIONS = [_flip, _flip, _number, _insert, _word, _word, _delete, _repeat, _truncate, _splice]
