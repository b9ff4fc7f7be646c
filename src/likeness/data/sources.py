"""Where faces come from: the parameters that say so, the LFW variants, their official homes and digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from likeness.artifacts.source_card import Alignment, FaceChoice, Framing, upgraded_framing
from likeness.params import Range


@dataclass(frozen=True)
class DataParams:
    """Section `data` of params.yaml: which faces, and how they are cut.

    Attributes:
        source: an LFW variant, `folder` for any folder-per-person set, or `synthetic` for drawn faces.
        mirror: folder or URL that is tried first; for `folder` the set itself (a folder or an archive).
        crop: height and width of the central window that is kept, in pixels of the picture, or of the 250×250 of a
            framed face; None for all of it.
        size: height and width of a stored image; a window of other proportions is stretched to them.
        colour: store RGB pictures; else their luminance.
        align: how the face of each photograph is found and framed: `lfw-landmarks` as LFW's pictures are, by
            five landmarks, `lfw-frame` the same by the box of Haar cascades, which does not turn a tilted head,
            `arcface-112` or `dlib-150` by landmarks, as those towers expect it; `none` is for pictures that are
            framed already, such as those of LFW.
        smallest_face: where faces are looked for, side in pixels that one needs; a photograph of a smaller one is
            left out. Of several faces the largest clear one is framed, of LFW's the one nearest to the middle.
    """

    SECTION: ClassVar[str] = "data"

    source: Literal["lfw-a", "lfw", "lfw-funneled", "lfw-deepfunneled", "folder", "synthetic"]
    mirror: str | None
    crop: Annotated[tuple[int, int] | None, Range(low=8, high=8192)] = None
    size: Annotated[tuple[int, int], Range(low=8, high=1024)] = (105, 105)
    colour: bool = False
    align: Framing = "none"
    smallest_face: Annotated[int, Range(low=24, high=4096)] = 40

    @staticmethod
    def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The former `frame` is read."""
        return upgraded_framing(values)

    @property
    def framed_face(self) -> int | None:
        """Side in pixels of the smallest face that is framed; None where no face is looked for."""
        return None if self.align == "none" else self.smallest_face

    @property
    def face(self) -> FaceChoice:
        """Which face is framed where a photograph shows several: in LFW the person named is in the middle."""
        return "central" if self.source in VARIANTS else "largest"

    @property
    def cut(self) -> Cut:
        """How photographs become stored images."""
        return Cut(self.crop, self.size, self.colour, self.align, self.smallest_face, self.face)


@dataclass(frozen=True)
class Cut:
    """How photographs become stored images; see `DataParams` for the attributes."""

    crop: tuple[int, int] | None
    size: tuple[int, int]
    colour: bool = False
    align: Framing = "none"
    smallest_face: int = 0
    face: FaceChoice = "largest"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a stored image: height and width, and 3 in colour."""
        return (*self.size, 3) if self.colour else self.size


@dataclass(frozen=True)
class SyntheticParams:
    """Section `synthetic` of params.yaml: how many faces to draw, and which lists of pairs to write with them.

    Attributes:
        people: how many; the first people of a set are the same whatever their number.
        seed: names everything that is drawn.
        mean_images: photographs per person, 2.3 in LFW; with fewer, forty people would not fill ten folds.
        train_pairs: pairs per class in pairsDevTrain.txt, fewer if there are not so many people.
        test_pairs: likewise in pairsDevTest.txt.
        fold_pairs: likewise in each fold of pairs.txt.
    """

    SECTION: ClassVar[str] = "synthetic"

    people: Annotated[int, Range(low=40, high=100_000)] = 400
    seed: Annotated[int, Range(low=0, high=2**32 - 1)] = 0
    mean_images: Annotated[float, Range(low=1.8, high=8.0)] = 3.0
    train_pairs: Annotated[int, Range(low=10)] = 500
    test_pairs: Annotated[int, Range(low=10)] = 250
    fold_pairs: Annotated[int, Range(low=1)] = 30


@dataclass(frozen=True)
class Home:
    """An address where a file was published, and the digest that its publisher or a library pins for it."""

    url: str
    digest: str


@dataclass(frozen=True)
class Variant:
    """One official form of LFW: its archive, the folder inside it, and where it was published."""

    archive: str
    folder: str
    alignment: Alignment
    homes: tuple[Home, ...]


OPENU = "https://www.openu.ac.il/home/hassner/data/lfwa"
UMASS = "http://vis-www.cs.umass.edu/lfw"  # gone, but it may return and is cheap to ask
FIGSHARE = "https://ndownloader.figshare.com/files"  # the copy that scikit-learn fetches


def _list_homes(name: str, sha256: str, copy: str | None = None) -> tuple[Home, ...]:
    urls = [f"{UMASS}/{name}"] + ([f"{FIGSHARE}/{copy}"] if copy else [])
    return tuple(Home(url, f"sha256:{sha256}") for url in urls)


VARIANTS: Mapping[str, Variant] = {
    "lfw-a": Variant(
        "lfwa.tar.gz",
        "lfw2",
        "LFW-a",
        (Home(f"{OPENU}/lfwa.tar.gz", "sha1:38ecda590870e7dc91fb1040759caccddbe25375"),),
    ),
    "lfw": Variant(
        "lfw.tgz",
        "lfw",
        "none",
        (
            Home(f"{UMASS}/lfw.tgz", "md5:a17d05bd522c52d84eca14327a23d494"),
            Home(f"{FIGSHARE}/5976018", "sha256:055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0"),
        ),
    ),
    "lfw-funneled": Variant(
        "lfw-funneled.tgz",
        "lfw_funneled",
        "funneled",
        (
            Home(f"{UMASS}/lfw-funneled.tgz", "md5:1b42dfed7d15c9b2dd63d5e5840c86ad"),
            Home(f"{FIGSHARE}/5976015", "sha256:b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a"),
        ),
    ),
    "lfw-deepfunneled": Variant(
        "lfw-deepfunneled.tgz",
        "lfw-deepfunneled",
        "deep-funneled",
        (Home(f"{UMASS}/lfw-deepfunneled.tgz", "md5:68331da3eb755a505a502b5aacb3c201"),),
    ),
}

LISTS: Mapping[str, tuple[Home, ...]] = {
    "pairsDevTrain.txt": _list_homes(
        "pairsDevTrain.txt", "1d454dada7dfeca0e7eab6f65dc4e97a6312d44cf142207be28d688be92aabfa", "5976012"
    ),
    "pairsDevTest.txt": _list_homes(
        "pairsDevTest.txt", "7cb06600ea8b2814ac26e946201cdb304296262aad67d046a16a7ec85d0ff87c", "5976009"
    ),
    "pairs.txt": _list_homes(
        "pairs.txt", "ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592", "5976006"
    ),
    "peopleDevTrain.txt": _list_homes(
        "peopleDevTrain.txt", "2e58df13ba4cc143189336e001cc2c195f1dfa5b29a6475c02857be353c2a2fa"
    ),
    "peopleDevTest.txt": _list_homes(
        "peopleDevTest.txt", "c3ed1f90499473401542101a56c14c1d82396bb8218c67a356d7460601047555"
    ),
    "people.txt": _list_homes("people.txt", "bc8fa2b7f25c895cf7efb6de4f4fc27ca8b8d1cfa63350ad8b96eae2b198d365"),
}
NEEDED_LISTS = ("pairsDevTrain.txt", "pairsDevTest.txt")
"""Without these two there is no View 1; the others serve View 2 and training on identities."""
