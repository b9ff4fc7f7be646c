"""The page and its interface for programs, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, select_autoescape

from likeness._version import __version__
from likeness.errors import (
    BusyError,
    DisagreementError,
    GalleryError,
    ImageError,
    LikenessError,
    ModelError,
    RequestError,
    TooLargeError,
)
from likeness.images import MAX_BYTES
from likeness.serving.access_control import SIGN_IN, Guard, same_secret, signed_in
from likeness.serving.face_reading import MOST_FACES
from likeness.serving.request_queues import ReadFaces, RequestQueues
from likeness.serving.service import HeatReply, IdentityReply, PersonReply, Service, Settings, VerdictReply
from likeness.serving.uploads import MAX_FILES, Form, read_form

T = TypeVar("T")

_STATIC = Path(__file__).parent / "static"
_TOP = 100

_STATUS: tuple[tuple[type[LikenessError], int], ...] = (
    (TooLargeError, 413),
    (BusyError, 429),
    (RequestError, 400),
    (ImageError, 422),
    (ModelError, 422),
    (GalleryError, 409),
)


def create_app(service: Service, *, loopback: bool = True, token: str | None = None, threads: int = 2) -> FastAPI:
    """The application.

    Args:
        service: answers the questions.
        loopback: it will listen on loopback only; other host names are then refused.
        token: what callers must know; needed where it listens elsewhere.
        threads: that compute at the same time.
    """
    queues = RequestQueues(threads)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        queues.start()
        yield
        queues.close()

    app = FastAPI(
        title="Likeness", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    desk = _Desk(service, queues)
    pages = Environment(loader=PackageLoader("likeness.serving"), autoescape=select_autoescape())
    app.mount("/static", StaticFiles(directory=_STATIC))
    app.exception_handler(LikenessError)(partial(_answer_error, service))
    _add_page(app, service, pages, token)
    _add_questions(app, desk)
    _add_people(app, desk)
    sign_in = partial(_sign_in_page, pages)
    app.add_middleware(Guard, loopback=loopback, token=token, sign_in=sign_in)
    return app


class _Desk:
    """Reads forms, and answers them in the queue that is for them, away from the event loop."""

    def __init__(self, service: Service, queues: RequestQueues) -> None:
        self.service = service
        self._queues = queues

    async def form(self, request: Request, answer: Callable[[Form, ReadFaces], T]) -> T:
        """Reads the request's form and answers it."""
        with self._queues.holding() as hold:
            form = await read_form(request, hold)
            photographs = [photo for photos in form.files.values() for photo in photos]
            return await self._queues.run(photographs, lambda read: answer(form, read))

    async def compute(self, work: Callable[[], T]) -> T:
        """Does work without photographs in a thread."""
        return await self._queues.run([], lambda _: work())


def _add_page(app: FastAPI, service: Service, pages: Environment, token: str | None) -> None:
    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        card = service.verifier.model.card
        rates = [point.fmr for point in card.decision.fmr_table]
        facts = {"card": card, "rates": rates, "version": __version__, "token": token is not None}
        return pages.get_template("page.html").render(**facts, max_mb=MAX_BYTES >> 20, max_files=MAX_FILES)

    @app.get("/health")
    def health() -> dict[str, str]:
        model = service.verifier.model
        return {
            "status": "ok",
            "model": model.card.weights_sha256,
            "recipe": model.card.recipe,
            "runtime": model.runtime,
        }

    @app.post(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        shown = (await read_form(request)).fields.get("token", "")
        if token is None or not same_secret(shown, token):
            return _sign_in_page(pages, wrong=True)
        return signed_in(token)


def _add_questions(app: FastAPI, desk: _Desk) -> None:
    @app.post("/api/verify")
    async def verify(request: Request) -> VerdictReply:
        return await desk.form(
            request, lambda form, read: desk.service.verify(*_two_photos(form), _settings(form), read)
        )

    @app.post("/api/explain")
    async def explain(request: Request) -> HeatReply:
        return await desk.form(
            request, lambda form, read: desk.service.explain(*_two_photos(form), _settings(form), read)
        )

    @app.post("/api/identify")
    async def identify(request: Request) -> IdentityReply:
        def answer(form: Form, read: ReadFaces) -> IdentityReply:
            top = int(form.number("top", 1, _TOP) or 5)
            return desk.service.identify(
                form.photo("photo", "a photograph"), top, _settings(form, "fpir", "face"), read
            )

        return await desk.form(request, answer)


def _add_people(app: FastAPI, desk: _Desk) -> None:
    @app.get("/api/people")
    async def people() -> list[PersonReply]:
        return await desk.compute(desk.service.everyone)

    @app.post("/api/people", status_code=201)
    async def enrol(request: Request) -> PersonReply:
        def answer(form: Form, read: ReadFaces) -> PersonReply:
            name = form.fields.get("name", "")
            photos = form.files.get("photos", [])
            return desk.service.enrol(name, photos, form.flag("keep"), form.flag("force"), _settings(form), read)

        return await desk.form(request, answer)

    @app.post("/api/people/remove")
    async def remove(request: Request) -> dict[str, str]:
        def answer(form: Form, _: ReadFaces) -> dict[str, str]:
            name = form.fields.get("name", "")
            desk.service.remove(name)
            return {"removed": name}

        return await desk.form(request, answer)


def _two_photos(form: Form) -> tuple[bytes, bytes]:
    return form.photo("first", "the first photograph"), form.photo("second", "the second photograph")


def _settings(form: Form, rate: str = "fmr", first: str = "first_face", second: str = "second_face") -> Settings:
    faces = tuple(int(form.number(name, 1, MOST_FACES) or 1) for name in (first, second))
    named = "far" if "far" in form.fields else rate  # its former name, read until 1.0
    return Settings(
        form.number(named, 0, 1), form.number("threshold", -1e9, 1e9), form.flag("aligned"), (faces[0], faces[1])
    )


def _answer_error(service: Service, _request: Request, error: Exception) -> JSONResponse:
    """An error that the user can mend, as a sentence that names no path of the server."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    # What is left of a request that was refused half-read is not waited for.
    headers = {"Connection": "close"} if isinstance(error, RequestError) else {}
    if isinstance(error, BusyError):
        headers["Retry-After"] = "5"
    body: dict[str, Any] = {"error": service.without_paths(str(error))}
    if isinstance(error, DisagreementError):
        body["force"] = "the same request with the field force=1 enrols the photographs all the same"
    return JSONResponse(body, status, headers)


def _sign_in_page(pages: Environment, wrong: bool) -> HTMLResponse:
    return HTMLResponse(pages.get_template("sign_in.html").render(wrong=wrong), 401)
