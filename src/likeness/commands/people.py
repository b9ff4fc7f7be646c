"""`likeness enroll`, `likeness identify` and `likeness gallery`: the people whom a model is to know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.commands.common import (
    ALL_FACES,
    GALLERY,
    AlignedOption,
    Exit,
    FaceOption,
    GalleryOption,
    JsonOption,
    ModelOption,
    ThresholdOption,
    batches,
    emit,
    finite,
    load_verifier,
    photographs,
    print_notice,
    remarks_on,
)
from likeness.errors import GalleryError, ImageError

if TYPE_CHECKING:
    from likeness.faces import Face
    from likeness.serving.people import Identification, People

gallery_app = typer.Typer(help="The people who are enrolled.", no_args_is_help=True)

NamesArgument = Annotated[list[str], typer.Argument(help="Names, as `likeness gallery list` shows them.")]


def enroll(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME PHOTO...", help="A name and photographs of that person; or, with --folders, folders."
        ),
    ],
    folders: Annotated[
        bool, typer.Option("--folders", help="Each folder inside those given is a person, named by it.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep-photos", help="Keep the framed faces, so that a later model can embed them again."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Enrol photographs that do not look like one person, too.")
    ] = False,
    model: ModelOption = None,
    gallery: GalleryOption = GALLERY,
    aligned: AlignedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Enrol a person from one photograph or several (averaged), to be identified at once.

    Exit code: 0 every photograph was used, 2 something went wrong.
    """
    wanted = _of_folders(names) if folders else _of_arguments(names)
    people = _people(model, gallery)
    if not as_json:
        print_notice(f"model: {people.verifier.name}")
    usable = _read_faces(people, wanted, aligned)
    result = people.enrol(
        {name: [f for _, f in used] for name, used in usable.items() if used}, keep=keep, force=force
    )
    for doubt in result.doubts:
        said = doubt.sentence([str(path) for path, _ in usable[doubt.name]])
        print_notice(f"{said}. Leave out what is wrong, or pass --force if it is one person")
    for person in result.people:
        count = len(usable[person.name])
        if as_json:
            kept = count if keep else 0
            emit({"name": person.name, "photos": count, "kept": kept, "model": people.verifier.name})
        else:
            typer.echo(f"enrolled {person.name} from {_count(count, 'photograph')}")
    complete = not result.doubts and sum(map(len, usable.values())) == sum(map(len, wanted.values()))
    raise typer.Exit(Exit.YES if complete else Exit.ERROR)


def _read_faces(
    people: People, wanted: dict[str, list[Path]], aligned: bool
) -> dict[str, list[tuple[Path, Face]]]:
    """The framed faces of each person; what cannot be used is reported."""
    from likeness.serving.gallery import clean_name

    files = [(clean_name(name), path) for name, paths in wanted.items() for path in paths]
    usable: dict[str, list[tuple[Path, Face]]] = {name: [] for name, _ in files}
    sources = iter(files)
    for batch in batches([path for _, path in files], "reading"):
        for face in people.verifier.largest_faces(batch, aligned=aligned):
            owner, path = next(sources)
            if isinstance(face, ImageError):
                print_notice(f"not used: {face}")
                continue
            usable[owner].append((path, face))
            if face.others:
                print_notice(f"{path}: the largest of {face.others + 1} faces was taken as {owner}'s")
            if face.warnings:
                print_notice(f"{path}: {'; '.join(face.warnings)}")
    return usable


def identify(
    photos: Annotated[list[str], typer.Argument(help="Photographs, folders or patterns.", metavar="PHOTO...")],
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many people to name.")] = 5,
    fpir: Annotated[
        float,
        typer.Option(
            "--fpir",
            "--far",  # deprecated
            help="False positive identification rate: the share of people not enrolled who may be taken for "
            "anyone, whatever the gallery's size (--far: deprecated name).",
            callback=finite,
        ),
    ] = 0.01,
    threshold: ThresholdOption = None,
    model: ModelOption = None,
    gallery: GalleryOption = GALLERY,
    face: FaceOption = 1,
    every: Annotated[bool, typer.Option("--all", help="Every face of each photograph, as --face all.")] = False,
    aligned: AlignedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Who photographs show, or that it is nobody of the gallery.

    Exit code: 0 all show known people, 1 one of the faces is of an unknown person, 2 something went wrong.
    """
    people = _people(model, gallery)
    paths = photographs(photos)
    number = None if every or face == ALL_FACES else face
    model_name = people.verifier.name
    alone = len(paths) == 1 and number is not None
    if not alone and not as_json:
        print_notice(f"model: {model_name}")
    codes = [Exit.YES]
    for batch in batches(paths, "identifying"):
        read = list(people.verifier.faces_in_each(batch, aligned=aligned, number=number))
        found = [face for faces in read if not isinstance(faces, ImageError) for face in faces]
        results = iter(people.identify(found, top=top, fpir=fpir, threshold=threshold))
        for path, faces in zip(batch, read, strict=True):
            of_photo = [faces] if isinstance(faces, ImageError) else [next(results) for _ in faces]
            codes += [_show(path, each, model_name, alone=alone, as_json=as_json) for each in of_photo]
    raise typer.Exit(max(codes))


@gallery_app.command("list")
def list_people(gallery: GalleryOption = GALLERY, as_json: JsonOption = False) -> None:
    """Who is enrolled, from how many photographs, since when."""
    from likeness.serving.gallery_file import load_gallery

    for person in load_gallery(gallery).people():
        if as_json:
            enrolled = person.enrolled.isoformat()
            emit({"name": person.name, "photos": person.photos, "kept": person.kept, "enrolled": enrolled})
        else:
            kept = f", {person.kept} kept" if person.kept else ""
            since = person.enrolled.astimezone().strftime("%Y-%m-%d %H:%M")
            typer.echo(f"{person.name}  ({_count(person.photos, 'photograph')}{kept}, since {since})")


@gallery_app.command("remove")
def remove(names: NamesArgument, gallery: GalleryOption = GALLERY) -> None:
    """Remove people, with every trace of their embeddings and photographs."""
    from likeness.serving.gallery_file import remove_people

    remove_people(gallery, names)
    typer.echo(f"removed {', '.join(names)}")


@gallery_app.command("export")
def export(
    target: Annotated[Path, typer.Argument(help="A .json, .csv or .npz file.")], gallery: GalleryOption = GALLERY
) -> None:
    """Write names and embeddings for other programs."""
    from likeness.serving.gallery_export import export_gallery
    from likeness.serving.gallery_file import load_gallery

    count = export_gallery(target, load_gallery(gallery))
    typer.echo(f"{target}: {_count(count, 'embedding')}; whoever can read it can recognise these people")


@gallery_app.command("re-embed")
def reembed(model: ModelOption = None, gallery: GalleryOption = GALLERY) -> None:
    """Make a gallery for another model again, from the photographs that were kept."""
    people = _people(model, gallery)
    typer.echo(f"{gallery}: {people.reembed()} people, embedded by {people.verifier.name}")


def _of_arguments(arguments: Sequence[str]) -> dict[str, list[Path]]:
    if len(arguments) < 2:
        raise typer.BadParameter("expected a name and one photograph or more", param_hint="NAME PHOTO...")
    return {arguments[0]: photographs(arguments[1:])}


def _of_folders(arguments: Sequence[str]) -> dict[str, list[Path]]:
    """The photographs of each folder inside those given, under that folder's name; system folders are nobody.

    A folder without any is among its own photographs, to be reported as one that cannot be read.

    Raises:
        GalleryError: there is no folder of a person.
    """
    from likeness.data.layout import composed, is_system
    from likeness.data.picture_files import pictures_below

    wanted: dict[str, list[Path]] = {}
    for argument in arguments:
        top = Path(argument)
        for folder in sorted(path for path in top.glob("*") if path.is_dir() and not is_system(path.name)):
            if not top.resolve().is_relative_to(folder.resolve()):
                wanted.setdefault(composed(folder.name), []).extend(pictures_below(folder) or [folder])
    if not wanted:
        raise GalleryError(f"{', '.join(arguments)}: expected folders that hold a folder for each person")
    return wanted


def _people(model: str | None, gallery: Path) -> People:
    from likeness.serving.people import People

    return People(gallery, load_verifier(model))


def _show(path: Path, result: Identification | ImageError, model: str, *, alone: bool, as_json: bool) -> Exit:
    if isinstance(result, ImageError):
        emit({"photo": str(path), "error": str(result), "model": model}) if as_json else print_notice(str(result))
        return Exit.ERROR
    if as_json:
        emit({"photo": str(path), **as_mapping(result), "model": model})
    elif alone:
        typer.echo(f"{_paragraph(result)}\nmodel {model}")
    else:
        found = typer.style(result.name or "unknown", fg="green" if result.name else "yellow")
        remarks = remarks_on(result.face)
        score = f"best score {result.candidates[0].score:.4f}"
        typer.echo(f"{path}: {found}  ({', '.join(filter(None, [score, remarks]))})")
    return Exit.YES if result.name else Exit.NO


def as_mapping(result: Identification) -> dict[str, Any]:
    """What `--json` says about one photograph."""
    return {
        "name": result.name,
        "candidates": [vars(candidate) for candidate in result.candidates],
        "threshold": result.limit.threshold,
        "fpir": result.limit.fpir,
        "fmr": result.limit.fmr,
        "people": result.limit.people,
        "tail_extended": result.limit.extended,
        "face": result.face.number,
        "box": None if result.face.box is None else vars(result.face.box),
        "other_faces": result.face.others,
        "warnings": result.face.warnings,
    }


def _paragraph(result: Identification) -> str:
    limit = result.limit
    name = typer.style(result.name, fg="green") if result.name else typer.style("Unknown", fg="yellow")
    rate = "" if limit.fpir is None else f"; {limit.fpir:.3g} of those not enrolled would be accepted"
    lines = [f"{name}  (of {_count(limit.people, 'person', 'people')}, from score {limit.threshold:.4f} on{rate})"]
    if limit.extended:
        lines.append("that rate is beyond what the held-out pairs could measure: their tail is taken as normal")
    for place, candidate in enumerate(result.candidates, 1):
        lines.append(f"{place:3}. {candidate.score:8.4f}  {candidate.name}")
    if remarks := remarks_on(result.face):
        lines.append(remarks)
    return "\n".join(lines)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
