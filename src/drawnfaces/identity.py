"""Who somebody is: the features that every photograph of a person shares.

Lengths are in half heads (about 11 cm, 60 pixels) on the face chart, whose origin lies between the eyes, u to
the right and v down; tones are linear reflectances from 0 (black) to 1 (white).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skull:
    """Head, jaw, ears and neck. Factors are relative to an average head, the rest are bulges in half heads."""

    width: float
    depth: float
    forehead: float  # factor of the height above the eyes
    length: float  # factor of the height below the eyes
    temples: float
    cheekbones: float
    jaw: float
    chin: float
    chin_boss: float
    cheeks: float
    ear_size: float
    ear_spread: float
    neck: float


@dataclass(frozen=True)
class Hair:
    """The hair of the head: its edge, its shape and its texture."""

    line: float  # height above the eyes at which it begins; 2 is the top of the head
    recession: float
    widow_peak: float
    parting: float  # -1 left, 1 right
    fringe: float
    volume: float
    sides: float
    length: float  # 0 short, 1 on the shoulders
    tone: float
    curl: float


@dataclass(frozen=True)
class Brows:
    """The eyebrows and the bone under them."""

    height: float
    thickness: float
    arch: float
    length: float
    tilt: float
    ridge: float


@dataclass(frozen=True)
class Eyes:
    """Both eyes; people are symmetric here."""

    spacing: float
    size: float
    opening: float
    tilt: float
    depth: float
    iris: float  # tone
    crease: float
    lashes: float


@dataclass(frozen=True)
class Nose:
    """The nose."""

    length: float
    width: float
    bridge: float
    tip: float
    nostrils: float


@dataclass(frozen=True)
class Mouth:
    """The mouth at rest."""

    height: float
    width: float
    upper: float
    lower: float
    tone: float  # factor of the skin's tone


@dataclass(frozen=True)
class Mole:
    """A dark spot of the skin."""

    u: float
    v: float
    radius: float


@dataclass(frozen=True)
class Skin:
    """Complexion and marks."""

    tone: float
    wrinkles: float
    freckles: float
    moles: tuple[Mole, ...]


@dataclass(frozen=True)
class Beard:
    """How dense the hair grows on cheeks and jaw, above the mouth, and on the chin: 0 shaved, 1 full."""

    full: float
    moustache: float
    goatee: float


@dataclass(frozen=True)
class Glasses:
    """The frame that somebody owns; whether it is worn is a matter of the photograph."""

    width: float
    height: float
    squareness: float  # exponent of the superellipse: 2 is an ellipse, 6 almost a rectangle
    rim: float  # pixels
    tone: float


@dataclass(frozen=True)
class Identity:
    """A person, in more than fifty numbers."""

    skull: Skull
    hair: Hair
    brows: Brows
    eyes: Eyes
    nose: Nose
    mouth: Mouth
    skin: Skin
    beard: Beard
    glasses: Glasses | None
