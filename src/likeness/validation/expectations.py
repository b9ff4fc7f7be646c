"""The suites: what must hold (critical) and what should (warning) for images, people and lists.

`ExpectColumnQuantileValuesToBeBetween` is not used: in Great Expectations 1.24 its result holds a NumPy bool,
which breaks the serialisation of the whole run.
"""

from __future__ import annotations

import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from likeness.artifacts.source_card import SourceCard
from likeness.data.sources import VARIANTS
from likeness.images.geometry import FRAME
from likeness.validation.expectation_builders import Suite, each, expect
from likeness.validation.list_expectations import list_suites
from likeness.validation.params import Bounds, ValidationParams

LFW_IMAGES, LFW_PEOPLE = 13233, 5749
USABLE = Column("usable") == True  # noqa: E712, the comparison builds a condition


def suites(source: SourceCard, params: ValidationParams) -> dict[str, Suite]:
    """The expectations by the table that they speak about."""
    lfw = source.source in VARIANTS
    return {
        "images": _images(params) + _framing(source) + (_lfw_images(source) if lfw else []),
        "people": _people(params) + (_lfw_people(source) if lfw else []),
        "left aside": _left_aside(params),
        **list_suites(params, lfw),
    }


def _images(params: ValidationParams) -> Suite:
    return [*_decoding(params), *_names(), *_light(params), *_twins(params)]


def _decoding(params: ValidationParams) -> Suite:
    share = params.undecodable_share
    return [
        each(
            "images can be decoded",
            "Every image can be decoded" + (f", but for a share of {share:g}." if share else "."),
            show=["image", "error"],
            column="decoded",
            value=True,
            mostly=1 - share,
        ),
        each(
            "images reach the crop",
            "No image is smaller than the crop; those that are stay out of everything that is built.",
            severity="warning",
            show=["image", "error"],
            column="large_enough",
            value=True,
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "no constant image",
            "No usable image is of a single gray level.",
            show=["image", "brightness", "row"],
            column="contrast",
            min_value=0,
            strict_min=True,
            row_condition=USABLE,
        ),
    ]


def _framing(source: SourceCard) -> Suite:
    if source.align == "none":
        return []
    return [
        each(
            "a face is found",
            "Every photograph shows a face that can be found; the others stay out of everything that is built.",
            severity="warning",
            show=["image", "error"],
            column="face_found",
            value=True,
        ),
        each(
            "faces are large enough",
            f"The face of every photograph has {source.smallest_face or 0} pixels a side or more.",
            severity="warning",
            show=["image", "error"],
            column="face_large_enough",
            value=True,
        ),
        each(
            "no face is in profile",
            "The face of every photograph looks towards the camera, not to the side.",
            severity="warning",
            show=["image", "error"],
            column="face_frontal",
            value=True,
        ),
    ]


def _names() -> Suite:
    return [
        each(
            "names match paths",
            "Person and number of each image are those in its path.",
            show=["path", "person", "number"],
            column="named_well",
            value=True,
        ),
        expect(
            gxe.ExpectCompoundColumnsToBeUnique,
            "names are unique",
            "No two images have the same person and number.",
            show=["path", "person", "number"],
            column_list=["person", "number"],
        ),
    ]


def _light(params: ValidationParams) -> Suite:
    return [
        expect(
            gxe.ExpectColumnMeanToBeBetween,
            "mean brightness",
            "The mean brightness of all usable images is plausible: {low} to {high} of full white.",
            bounds=params.mean_brightness,
            column="brightness",
            row_condition=USABLE,
        ),
        *(_bounded(column, bounds) for column, bounds in _statistics(params).items()),
    ]


def _twins(params: ValidationParams) -> Suite:
    alike = (
        f"perceptual hash (up to {params.duplicate_distance} of 64 bits apart) and pixels (correlated by "
        f"{params.duplicate_correlation:g} or more)"
    )
    return [
        each(
            "no photograph under two names",
            f"No photograph is listed under two names, be it by content or by {alike}.",
            severity="warning",
            show=["image", "other_names", "row", "twin"],
            column="other_names",
            value="",
        ),
        each(
            "no photograph twice",
            f"No person has the same photograph twice, be it by content or by {alike}.",
            severity="warning",
            show=["image", "repeats", "row", "twin"],
            column="repeats",
            value="",
        ),
    ]


def _statistics(params: ValidationParams) -> dict[str, Bounds]:
    return {"brightness": params.brightness, "contrast": params.contrast, "sharpness": params.sharpness}


def _bounded(column: str, bounds: Bounds) -> gxe.Expectation:
    return expect(
        gxe.ExpectColumnValuesToBeBetween,
        f"{column} of each image",
        f"The {column} of each usable image lies between {{low}} and {{high}}.",
        bounds=bounds,
        severity="warning",
        show=["image", column, "row"],
        column=column,
        row_condition=USABLE,
    )


def _left_aside(params: ValidationParams) -> Suite:
    bound = f"but for {params.unread_files} files or folders" if params.unread_files else "every file and folder"
    return [
        each(
            "the whole source is read",
            f"The source can be read, {bound}.",
            show=["path", "reason"],
            column="readable",
            value=True,
        ),
        each(
            "every photograph is taken",
            "No picture of the source is left aside.",
            severity="warning",
            show=["path", "reason"],
            column="no_photograph",
            value=True,
        ),
        each(
            "every list is read",
            "No list of pairs or people is left aside.",
            severity="warning",
            show=["path", "reason"],
            column="no_list",
            value=True,
        ),
    ]


def _lfw_images(source: SourceCard) -> Suite:
    sides = [
        each(
            f"{side} of the pictures",
            f"Every usable picture of LFW has a {side} of {FRAME} pixels.",
            show=["image", "width", "height"],
            column=side,
            value=FRAME,
            row_condition=USABLE,
        )
        for side in ("width", "height")
    ]
    number = expect(
        gxe.ExpectTableRowCountToEqual,
        "number of images",
        f"LFW has {LFW_IMAGES:,} images{_beside(source.collected_images)}.",
        value=LFW_IMAGES + source.collected_images,
    )
    return [number, *sides]


def _people(params: ValidationParams) -> Suite:
    return [
        expect(
            gxe.ExpectTableRowCountToBeBetween,
            "several people",
            "There are at least two people.",
            min_value=2,
        ),
        expect(
            gxe.ExpectColumnMaxToBeBetween,
            "someone twice",
            "At least one person has two images or more.",
            column="images",
            min_value=2,
        ),
        expect(
            gxe.ExpectColumnValuesToBeBetween,
            "images per person",
            "Each person has {low} to {high} images.",
            bounds=params.images_per_person,
            severity="warning",
            show=["person", "images"],
            column="images",
        ),
        each(
            "numbered without gaps",
            "The images of each person are numbered from 1 without a gap.",
            severity="warning",
            show=["person", "images"],
            column="numbered_through",
            value=True,
        ),
    ]


def _lfw_people(source: SourceCard) -> Suite:
    return [
        expect(
            gxe.ExpectTableRowCountToEqual,
            "number of people",
            f"LFW has {LFW_PEOPLE:,} people{_beside(source.collected_people)}.",
            value=LFW_PEOPLE + source.collected_people,
        )
    ]


def _beside(collected: int) -> str:
    return f", and {collected:,} were collected beside it" if collected else ""
