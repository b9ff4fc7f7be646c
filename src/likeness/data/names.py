"""Untrusted file names: made safe to print, and safe to use as a path below a folder."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

MAX_PERSON = 200
"""Bytes of a person's name in UTF-8; file systems take 255 in a name, and prefixes and numbers are added."""
_MAX_PART = 120  # bytes of one name below the quarantine; room for the names of texts beside it
_MAX_PARTS = 12
_MAX_SHOWN = 300  # characters
_RESERVED = frozenset({"", ".", "..", "index.json"})
_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # those between stand for bytes that are no UTF-8
_UNSEEN = ("Cc", "Cs", "Zl", "Zp", "Cn")  # control characters, surrogates, line and paragraph ends, unassigned


def printable(name: str) -> str:
    """The name with bytes that are no UTF-8, and characters that cannot be seen, written as escapes; shortened."""
    known = _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", name)
    text = known.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    shown = "".join(f"\\u{ord(one):04x}" if unicodedata.category(one) in _UNSEEN else one for one in text)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[: _MAX_SHOWN // 2]}…{shown[-_MAX_SHOWN // 2 + 1 :]}"


def spelled(name: str) -> str:
    """A person's name in one form: composed characters, single underscores for blanks."""
    return re.sub(r"\s+", "_", unicodedata.normalize("NFC", name).strip())


def person_fault(person: str) -> str:
    """Why a name, as `spelled` gives it, cannot be a person's; "" where it can."""
    if person.casefold() in _RESERVED or person.startswith(".") or "/" in person:
        return f"Its folder, {printable(person)!r}, cannot be the name of a person."
    if any(unicodedata.category(one) in _UNSEEN for one in person) or "\ufffd" in person:
        return (
            f"The name of its folder, {printable(person)!r}, holds bytes that are no UTF-8 or control characters."
        )
    if len(person.encode()) > MAX_PERSON:
        return f"The name of its folder is longer than {MAX_PERSON} bytes."
    return ""


def safe_path(name: str) -> PurePosixPath:
    """A relative path made of an untrusted one: it stays below its folder, and any file system takes it.

    What had to be changed stays distinct by some digits of the original's digest.
    """
    parts = [part for part in name.split("/") if part] or ["unnamed"]
    if len(parts) > _MAX_PARTS:
        parts = [parts[0], _digits(name), *parts[-(_MAX_PARTS - 2) :]]
    return PurePosixPath(*(_safe_part(part) for part in parts))


def _safe_part(part: str) -> str:
    shown = printable(part)
    if shown.strip(". ") == "":
        return f"unnamed-{_digits(part)}"
    shown = f"_{shown}" if shown.startswith(".") else shown
    if len(shown.encode()) <= _MAX_PART:
        return shown
    suffix = PurePosixPath(shown).suffix[:10]
    room = _MAX_PART - len(suffix.encode()) - 9
    return f"{shown.encode()[:room].decode('utf-8', 'ignore')}-{_digits(part)}{suffix}"


def _digits(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
