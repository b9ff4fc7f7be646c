"""Finding a source: the places that may hold it, tried in order.

They are the mirror that the user names (`data.mirror`, or the environment variable LIKENESS_MIRROR where that
is null), then the downloads folder, then the official homes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from likeness.artifacts.source_card import Checksum
from likeness.data.download import download, matches
from likeness.data.layout import holds_lfw
from likeness.data.list_files import csv_hint, find_list
from likeness.data.sources import LISTS, NEEDED_LISTS, VARIANTS, DataParams, Home, Variant
from likeness.errors import DownloadError, PairListError, SourceError, UnreachableError
from likeness.project import resolved

log = logging.getLogger(__name__)
T = TypeVar("T")

MIRROR_VARIABLE = "LIKENESS_MIRROR"


@dataclass(frozen=True)
class Located:
    """A source that was found.

    Attributes:
        images: an archive or a folder.
        place: what the source card calls it: a file name or an address, never an absolute local path.
        checksum: how its content was checked.
        lists: text of the official lists by file name.
    """

    images: Path
    place: str
    checksum: Checksum
    lists: Mapping[str, str]


def locate(params: DataParams, downloads: Path, environ: Mapping[str, str]) -> Located:
    """Finds the images and lists of a source, downloading what is not at hand.

    Args:
        params: which source; not `synthetic`, which is drawn and has no place.
        downloads: folder for what is downloaded.
        environ: the environment, for the mirror variable.

    Raises:
        SourceError: no place holds them; the message lists the places and the three ways to supply them.
        PairListError: a list at hand is not the official one.
        OutputError: a download cannot be written.
    """
    mirror = params.mirror or environ.get(MIRROR_VARIABLE) or None
    if params.source == "folder":
        return _locate_folder(mirror, downloads)
    variant = VARIANTS[params.source]
    places = _places(mirror, downloads)
    images = _first(places, lambda place: place.images(variant), variant.archive, downloads)
    return Located(images.path, images.place, images.checksum, _official_lists(places, downloads))


def drawn(archive: Path) -> Located:
    """An archive that the generator of synthetic faces wrote, with the lists beside it."""
    return Located(archive, archive.name, "recorded", lists_of(archive))


def lists_of(images: Path) -> dict[str, str]:
    """The lists with official names of a folder or an archive of images, whatever they say.

    They are in the folder or in one around the images inside it, or beside the archive.
    """
    found = {name: find_list(images, name) for name in LISTS}
    return {name: _text_of(path) for name, path in found.items() if path is not None}


def variants_in(folder: Path) -> list[str]:
    """Names of the LFW variants that a folder holds, packed or unpacked."""
    return [name for name, variant in VARIANTS.items() if _held(folder, variant) is not None]


def source_paths(params: DataParams, mirror: str | None) -> list[Path] | None:
    """What a local mirror holds of a source: the images and the lists beside them; None where there is no such.

    Args:
        params: which source; not `synthetic`.
        mirror: as a user named it.
    """
    if mirror is None or _is_url(mirror):
        return None
    path = resolved(mirror, Path.cwd())
    images = path if params.source == "folder" or path.is_file() else _held(path, VARIANTS[params.source])
    if images is None or not images.exists():
        return None
    return [images, *(found for name in LISTS if (found := find_list(path, name)) is not None)]


def place_of(mirror: str | None) -> str | None:
    """What a mirror is called where others read it: an address without its login, or the last part of a path."""
    if mirror is None:
        return None
    return _without_login(mirror) if _is_url(mirror) else resolved(mirror, Path.cwd()).resolve().name


@dataclass(frozen=True)
class _Images:
    path: Path
    place: str
    checksum: Checksum


class _Place(Protocol):
    """Raises a SourceError with a line that says why it does not have what is asked for."""

    def images(self, variant: Variant) -> _Images: ...

    def listing(self, name: str) -> Path: ...


class _Folder:
    """A folder of the user, or an archive beside which the lists are; its content is taken as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.parent if path.is_file() else path

    def images(self, variant: Variant) -> _Images:
        if self._path.is_file():
            return _Images(self._path, self._path.name, "recorded")
        if not self._path.is_dir():
            raise SourceError(f"{self._path}: there is no such folder")
        held = _held(self._path, variant)
        if held is None:
            others = [f"data.source={name}" for name in variants_in(self._path)]
            hint = f"; it does hold what {' or '.join(others)} names" if others else ""
            raise SourceError(f"{self._path}: holds neither {variant.archive} nor a folder {variant.folder}{hint}")
        return _Images(held, held.name, "recorded" if held.is_file() else "none")

    def listing(self, name: str) -> Path:
        path = find_list(self._path, name)
        if path is None:
            raise SourceError(f"{self._folder / name}: is not there{csv_hint(self._path)}")
        return path


class _Downloads(_Folder):
    """The downloads folder: what a run before fetched and checked, or what the user put there by hand."""

    def images(self, variant: Variant) -> _Images:
        found = super().images(variant)
        home = next(
            (home for home in variant.homes if found.path.is_file() and matches(found.path, home.digest)), None
        )
        return _Images(found.path, home.url, "published") if home else found

    def listing(self, name: str) -> Path:
        path = self._folder / name  # and not inside it, where the lists of other sources are
        if not path.is_file():
            raise SourceError(f"{path}: is not there")
        return path


class _Web:
    """Downloads, and asks no server twice that did not answer."""

    def __init__(self) -> None:
        self._silent: set[str] = set()

    def fetch(self, url: str, target: Path, digest: str | None = None) -> None:
        host = urlsplit(url).netloc
        if host in self._silent:
            raise DownloadError(f"{_without_login(url)}: the server does not answer", transient=True)
        try:
            log.info("fetching %s", _without_login(url))
            download(url, target, digest)
        except UnreachableError:
            self._silent.add(host)
            raise


class _Mirror:
    """A URL below which the files have their official names; they are taken as they are."""

    def __init__(self, url: str, downloads: Path) -> None:
        self._url = url.rstrip("/")
        self._folder = downloads / f"mirror-{hashlib.sha256(self._url.encode()).hexdigest()[:12]}"
        self._web = _Web()

    def images(self, variant: Variant) -> _Images:
        return _Images(self.fetch(variant.archive), _without_login(f"{self._url}/{variant.archive}"), "recorded")

    def listing(self, name: str) -> Path:
        return self.fetch(name)

    def fetch(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            self._web.fetch(f"{self._url}/{name}", path)
        return path


class _Homes:
    """The official homes; what they send must have the published digest."""

    def __init__(self, downloads: Path) -> None:
        self._downloads = downloads
        self._web = _Web()

    def images(self, variant: Variant) -> _Images:
        home = self._fetch(variant.homes, self._downloads / variant.archive)
        return _Images(self._downloads / variant.archive, home.url, "published")

    def listing(self, name: str) -> Path:
        self._fetch(LISTS[name], self._downloads / name)
        return self._downloads / name

    def _fetch(self, homes: Sequence[Home], target: Path) -> Home:
        errors: list[DownloadError] = []
        for home in homes:
            try:
                self._web.fetch(home.url, target, home.digest)
                return home
            except DownloadError as error:
                errors.append(error)
        raise SourceError("\n  ".join(map(str, errors)), transient=any(error.transient for error in errors))


def _places(mirror: str | None, downloads: Path) -> list[_Place]:
    places: list[_Place] = [_Downloads(downloads), _Homes(downloads)]
    if mirror is not None:
        places.insert(0, _Mirror(mirror, downloads) if _is_url(mirror) else _Folder(resolved(mirror, Path.cwd())))
    return places


def _first(places: Sequence[_Place], ask: Callable[[_Place], T], what: str, downloads: Path) -> T:
    reasons = []
    for place in places:
        try:
            return ask(place)
        except SourceError as error:
            reasons.append(str(error))
    raise SourceError(
        f"{what} was found in none of these places:\n  " + "\n  ".join(reasons) + "\n"
        f"Supply it in one of three ways: set data.mirror in params.yaml to a folder or URL that holds {what}; "
        f"set the environment variable {MIRROR_VARIABLE} to that folder or URL; or put {what} into {downloads}"
    )


def _official_lists(places: Sequence[_Place], downloads: Path) -> dict[str, str]:
    lists = {}
    for name in LISTS:
        try:
            lists[name] = _official_list(places, name, downloads)
        except SourceError:
            if name in NEEDED_LISTS:
                raise
            log.warning("%s was found nowhere; what needs it (View 2 or training on identities) cannot run", name)
    return lists


def _official_list(places: Sequence[_Place], name: str, downloads: Path) -> str:
    path = _first(places, lambda place: place.listing(name), name, downloads)
    digest = LISTS[name][0].digest
    if not matches(path, digest):
        raise PairListError(f"{path}: is not the official list ({digest}); replace it, or take it out of there")
    return _text_of(path)


def _locate_folder(mirror: str | None, downloads: Path) -> Located:
    if mirror is None:
        raise SourceError(
            "data.source=folder needs a folder: set data.mirror in params.yaml, or the environment "
            f"variable {MIRROR_VARIABLE}, to a folder or an archive that holds one folder of photographs a person"
        )
    if _is_url(mirror):
        base, _, name = mirror.rstrip("/").rpartition("/")
        return Located(_Mirror(base, downloads).fetch(name), _without_login(mirror), "recorded", {})
    path = resolved(mirror, Path.cwd())
    if not path.exists():
        raise SourceError(f"{path}: there is no such folder or archive; correct data.mirror or {MIRROR_VARIABLE}")
    return Located(path, path.resolve().name, "none" if path.is_dir() else "recorded", lists_of(path))


def _held(folder: Path, variant: Variant) -> Path | None:
    """The archive of a variant in a folder, or the variant's folder in it, or the folder itself if it is that."""
    if (folder / variant.archive).is_file():
        return folder / variant.archive
    if (folder / variant.folder).is_dir():
        return folder / variant.folder
    return folder if folder.resolve().name == variant.folder and holds_lfw(folder) else None


def _is_url(mirror: str) -> bool:
    return mirror.startswith(("http://", "https://"))


def _without_login(url: str) -> str:
    """The address without user, password and query, which are nobody else's business."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise PairListError(f"{path}: is no UTF-8 text (byte {error.start}); replace it") from error
