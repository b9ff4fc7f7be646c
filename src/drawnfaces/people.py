"""Draws people: a few hidden causes (sex, age, complexion) first, then features that go together."""

from __future__ import annotations

from dataclasses import dataclass

from drawnfaces.chance import PEOPLE, Chance
from drawnfaces.identity import (
    Beard,
    Brows,
    Eyes,
    Glasses,
    Hair,
    Identity,
    Mole,
    Mouth,
    Nose,
    Skin,
    Skull,
)


@dataclass(frozen=True)
class _Cause:
    """What a person's features have in common; not itself seen in a photograph."""

    man: float  # 0 or 1
    age: float  # 0 young to 1 old
    dark: float  # complexion, 0 fair to 1 dark


def draw_identity(seed: int, person: int) -> Identity:
    """The person of this number; depends on nothing else, so the first people of every set agree."""
    chance = Chance(seed, PEOPLE, person)
    cause = _Cause(
        man=float(chance.happens(0.6)),
        age=float(chance.rng.beta(1.6, 1.8)),
        dark=float(chance.rng.beta(0.9, 1.5)),
    )
    return Identity(
        skull=_skull(chance, cause),
        hair=_hair(chance, cause),
        brows=_brows(chance, cause),
        eyes=_eyes(chance, cause),
        nose=_nose(chance, cause),
        mouth=_mouth(chance, cause),
        skin=_skin(chance, cause),
        beard=_beard(chance, cause),
        glasses=_glasses(chance) if chance.happens(0.15 + 0.25 * cause.age) else None,
    )


def _skull(chance: Chance, cause: _Cause) -> Skull:
    return Skull(
        width=chance.about(0.98 + 0.03 * cause.man, 0.055),
        depth=chance.about(1.0, 0.05),
        forehead=chance.about(1.0, 0.05),
        length=chance.about(1.06 + 0.05 * cause.man, 0.06),
        temples=chance.about(0.0, 0.05),
        cheekbones=chance.about(0.02, 0.04),
        jaw=chance.about(-0.05 + 0.06 * cause.man, 0.055),
        chin=chance.about(0.1 + 0.15 * cause.man, 0.12),
        chin_boss=chance.about(0.05, 0.03),
        cheeks=chance.about(0.02, 0.035),
        ear_size=chance.about(0.22, 0.025),
        ear_spread=chance.between(0.0, 0.09),
        neck=chance.about(0.44 + 0.1 * cause.man, 0.04),
    )


def _hair(chance: Chance, cause: _Cause) -> Hair:
    man = cause.man == 1.0
    bald = man and chance.happens(0.05 + 0.25 * cause.age)
    long = chance.happens(0.07 if man else 0.7)
    curly = chance.happens(0.12 + 0.5 * cause.dark)
    curl = chance.between(0.5, 1.0) if curly else chance.between(0.0, 0.35)
    gray = chance.between(0.1, 0.35) if chance.happens(1.3 * (cause.age - 0.45)) else 0.0
    fair = chance.between(0.05, 0.3) if chance.happens(0.5 - cause.dark) else 0.0
    fringed = not bald and chance.happens(0.12 if man else 0.35)
    return Hair(
        line=chance.between(1.0, 2.3) if bald else chance.about(0.86 + 0.04 * cause.man, 0.1),
        recession=abs(chance.about(0.0, 0.1 + 0.3 * cause.age * cause.man)),
        widow_peak=max(0.0, chance.about(0.0, 0.06)),
        parting=chance.between(-1.0, 1.0),
        fringe=chance.between(0.1, 0.34) if fringed else 0.0,
        volume=chance.between(0.02, 0.06) if bald else chance.between(0.06, 0.2) + 0.1 * curly,
        sides=chance.between(0.02, 0.07) if man else chance.between(0.04, 0.13),
        length=chance.between(0.2, 1.0) if long else 0.0,
        tone=chance.between(0.012, 0.06) + max(gray, fair),
        curl=curl,
    )


def _brows(chance: Chance, cause: _Cause) -> Brows:
    return Brows(
        height=chance.about(0.285 - 0.03 * cause.man, 0.03),
        thickness=max(0.016, chance.about(0.033 + 0.014 * cause.man, 0.012)),
        arch=chance.about(0.05 - 0.02 * cause.man, 0.025),
        length=chance.about(0.26, 0.025),
        tilt=chance.about(-0.045, 0.035),
        ridge=max(0.0, chance.about(0.02 + 0.02 * cause.man, 0.015)),
    )


def _eyes(chance: Chance, cause: _Cause) -> Eyes:
    brown = chance.happens(0.4 + cause.dark)
    return Eyes(
        spacing=chance.about(0.435, 0.028),
        size=chance.about(0.198, 0.014),
        opening=chance.about(0.42 - 0.06 * cause.man, 0.06),
        tilt=chance.about(0.04, 0.07),
        depth=chance.about(0.05, 0.018),
        iris=chance.between(0.02, 0.06) if brown else chance.between(0.06, 0.2),
        crease=chance.between(0.0, 1.0),
        lashes=chance.between(0.7, 1.0) - 0.4 * cause.man,
    )


def _nose(chance: Chance, cause: _Cause) -> Nose:
    return Nose(
        length=chance.about(0.415, 0.033),
        width=chance.about(0.18 + 0.04 * cause.dark, 0.023),
        bridge=chance.about(0.075 - 0.025 * cause.dark, 0.02),
        tip=chance.about(0.13, 0.03),
        nostrils=chance.between(0.3, 1.0),
    )


def _mouth(chance: Chance, cause: _Cause) -> Mouth:
    return Mouth(
        height=chance.about(0.75, 0.03),
        width=chance.about(0.325, 0.03),
        upper=chance.about(0.042 + 0.025 * cause.dark, 0.012),
        lower=chance.about(0.06 + 0.025 * cause.dark, 0.014),
        tone=chance.about(0.42 + 0.14 * cause.man, 0.09),
    )


def _skin(chance: Chance, cause: _Cause) -> Skin:
    freckled = chance.happens(0.15 * (1.0 - cause.dark))
    return Skin(
        tone=min(0.58, max(0.07, chance.about(0.5 - 0.4 * cause.dark, 0.04))),
        wrinkles=min(1.0, max(0.0, 1.3 * cause.age - 0.35)),
        freckles=chance.between(0.3, 1.0) if freckled else 0.0,
        moles=tuple(_mole(chance) for _ in range(max(0, chance.whole(-2, 4)))),
    )


def _mole(chance: Chance) -> Mole:
    return Mole(u=chance.between(-0.7, 0.7), v=chance.between(-0.5, 1.2), radius=chance.between(0.018, 0.034))


def _beard(chance: Chance, cause: _Cause) -> Beard:
    full, moustache, goatee = chance.happens(0.25), chance.happens(0.2), chance.happens(0.15)
    return Beard(
        full=cause.man * (chance.between(0.35, 1.0) if full else chance.between(0.0, 0.2)),
        moustache=cause.man * (chance.between(0.5, 1.0) if moustache or full else 0.0),
        goatee=cause.man * (chance.between(0.5, 1.0) if goatee and not full else 0.0),
    )


def _glasses(chance: Chance) -> Glasses:
    return Glasses(
        width=chance.between(0.2, 0.29),
        height=chance.between(0.13, 0.24),
        squareness=chance.between(2.0, 6.0),
        rim=chance.between(0.8, 3.2),
        tone=chance.between(0.01, 0.25),
    )
