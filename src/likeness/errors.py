"""Every fault that a user can cause or meet, one class each, under one base class.

A message says what was expected, what was found, where, and what to do next. The stages and the command
line print `str(error)` alone and exit with `error.exit_code`; a user never meets a traceback for something
the user did.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass


class LikenessError(Exception):
    """Base of every fault that is reported to a user in a sentence instead of a traceback.

    Attributes:
        exit_code: of a command that ends with it.
        transient: whether the same may succeed later without anybody's doing.
    """

    exit_code = 2
    transient = False

    def __init__(self, message: str = "", *, transient: bool | None = None) -> None:
        super().__init__(message)
        if transient is not None:
            self.transient = transient


class ParamsError(LikenessError):
    """A parameter is unknown, missing, of the wrong type or out of range (all of them are listed at once)."""


class ChangedParamsError(LikenessError):
    """A parameter was edited while the stage that uses it ran; the result would be recorded under another."""


class SourceError(LikenessError):
    """No place holds the images or lists that were asked for, or a place answers with something else."""


class DownloadError(SourceError):
    """A download broke off, was refused, or is not the published file."""


class UnreachableError(DownloadError):
    """A server does not answer at all; asking it for another file is pointless."""

    transient = True


class ArchiveError(LikenessError):
    """An archive is truncated, is no archive, or holds a member that must not be read."""


class WorkerError(LikenessError):
    """Work on one input failed in its worker process: too long, too much memory, a crash, an unexpected error."""


class ImageError(LikenessError):
    """Bytes that are no usable image: not decodable, too large, or of an unknown kind."""


class SmallImageError(ImageError):
    """A picture with fewer pixels than the crop that is to be cut from it."""


class DataError(LikenessError):
    """The data set as a whole cannot be used: no image, one person only, an artefact that does not fit."""


class PairListError(DataError):
    """A pair or people list is malformed or names an image that the data set does not hold."""


class OverlapError(DataError):
    """People are on both sides of a division that must be person-disjoint."""


class ValidationFailedError(LikenessError):
    """At least one critical expectation over the data failed."""

    exit_code = 3


class OutputError(LikenessError):
    """An output cannot be written: no space, no permission."""


class MemoryLimitError(LikenessError):
    """The process may use less memory than what it is to do needs."""


class MissingPackageError(LikenessError):
    """A package of an extra of the distribution is not installed."""


class ModelError(LikenessError):
    """A model cannot be loaded: missing card, wrong digest, unknown network."""


class DivergedError(LikenessError):
    """The training loss is not finite any more; the last good weights are kept."""


class CollapseError(LikenessError):
    """All embeddings have become the same point: the loss sits at its margin."""


class FrozenWeightsError(LikenessError):
    """Weights that were to stay as they are have changed in training; a defect, never a user's fault."""


class InterruptedTrainingError(LikenessError):
    """A signal ended a training after its state was saved; run again, it goes on."""

    exit_code = 130


class TrackingError(LikenessError):
    """The tracking store or the registry cannot be reached or refuses."""


class FaceNotFoundError(ImageError):
    """No face was found in a photograph (a failure to acquire)."""


class SmallFaceError(ImageError):
    """The face that was found in a photograph has fewer pixels than are asked for."""


class ProfileFaceError(ImageError):
    """The face that was found in a photograph looks too far to the side."""


class GalleryError(LikenessError):
    """A gallery cannot be read, was made by another model, or does not hold the person asked for."""


class DisagreementError(GalleryError):
    """Photographs that were to be enrolled as one person do not look like one person."""


class RequestError(LikenessError):
    """A request to the service lacks something, or holds what cannot be read."""


class BusyError(RequestError):
    """The service has as many requests as it takes; the same may succeed in a few seconds."""

    transient = True


class TooLargeError(RequestError):
    """A request to the service, or one file in it, is larger than is taken."""


@dataclass(frozen=True)
class Failure:
    """What a program that failed leaves for the one that started it.

    Attributes:
        kind: the error's class, as in validation-failed; `disk-full`; or `unexpected`.
        transient: whether the same may succeed later without anybody's doing.
        message: a sentence.
    """

    kind: str
    transient: bool
    message: str


def failure_of(error: BaseException) -> Failure:
    """An error as data."""
    full = any(isinstance(cause, OSError) and cause.errno in _FULL for cause in _causes(error))
    if isinstance(error, LikenessError):
        name = type(error).__name__.removesuffix("Error")
        kind = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        return Failure("disk-full" if full else kind, error.transient, str(error))
    return Failure("disk-full" if full else "unexpected", False, f"{type(error).__name__}: {error}")


_FULL = (errno.ENOSPC, errno.EDQUOT)


def _causes(error: BaseException | None) -> list[BaseException]:
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes
