from __future__ import annotations

import base64
import dataclasses
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from likeness.images import MAX_BYTES
from likeness.serving.access_control import cookie_name, session_of
from likeness.serving.app import create_app
from likeness.serving.service import IdentityReply, Service, Settings, VerdictReply
from tests.serving.models import make_model
from tests.serving.pictures import encoded, png_bomb

HOST = "http://localhost:8000"
TOKEN = "a token of some length"


@pytest.fixture
def service(model_folder: Path, tmp_path: Path) -> Service:
    return Service(model_folder, tmp_path / "people.safetensors")


@pytest.fixture
def client(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The page on loopback, on a machine whose temporary folder cannot be written: nothing may need it."""
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    with TestClient(create_app(service), base_url=HOST) as client:
        yield client


@pytest.fixture
def guarded(service: Service) -> Iterator[TestClient]:
    """The page for callers with a token, from anywhere."""
    with TestClient(create_app(service, loopback=False, token=TOKEN), base_url="http://faces.example") as client:
        yield client


def two(photos: Path, first: str, second: str) -> dict[str, bytes]:
    return {"first": (photos / first).read_bytes(), "second": (photos / second).read_bytes()}


def decoded(uri: str) -> np.ndarray:
    assert uri.startswith("data:image/png;base64,")
    return cv2.imdecode(np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_verdict_with_the_crops_that_the_network_saw(client: TestClient, photos: Path, service: Service) -> None:
    reply = client.post("/api/verify", files=two(photos, "ada.jpg", "crowd.jpg")).json()
    expected = service.verifier.verify(photos / "ada.jpg", photos / "crowd.jpg")
    assert reply["same"] is expected.same
    assert reply["score"] == pytest.approx(expected.score)
    assert reply["probability"] == pytest.approx(expected.probability)
    assert reply["words"] == expected.words
    assert [face["others"] for face in reply["faces"]] == [0, 1]
    assert [face["warnings"] for face in reply["faces"]] == [[], []]
    crops = np.stack([decoded(face["crop"]) for face in reply["faces"]])
    np.testing.assert_array_equal(crops, service.verifier.windows(expected.faces))


def test_another_face_of_a_photograph_may_be_chosen(client: TestClient, photos: Path, service: Service) -> None:
    files = two(photos, "ada.jpg", "crowd.jpg")
    second = service.verifier.face(photos / "crowd.jpg", number=2)
    expected = service.verifier.compare(service.verifier.face(photos / "ada.jpg"), second)
    reply = client.post("/api/verify", files=files, data={"second_face": "2"}).json()
    assert reply["score"] == pytest.approx(expected.score)
    assert [(face["number"], len(face["choices"])) for face in reply["faces"]] == [(1, 0), (2, 2)]
    assert reply["faces"][1]["crop"] == reply["faces"][1]["choices"][1]
    assert client.post("/api/explain", files=files, data={"second_face": "2"}).status_code == 200
    refused = client.post("/api/verify", files=files, data={"first_face": "2"})
    assert refused.status_code == 422
    assert refused.json()["error"] == "the first photograph shows 1 face: there is no face 2"
    client.post("/api/people", data={"name": "Ada"}, files=[("photos", (photos / "ada.jpg").read_bytes())])
    crowd = [("photo", (photos / "crowd.jpg").read_bytes())]
    found = client.post("/api/identify", files=crowd, data={"face": "2"}).json()
    assert found["face"]["number"] == 2
    assert found["candidates"][0]["score"] == pytest.approx(expected.score)


@pytest.mark.attack("13")
@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "\x80", "null"])
def test_an_origin_that_is_no_address_is_another_site(client: TestClient, origin: str) -> None:
    reply = client.post("/api/people/remove", data={"name": "Ada"}, headers={"Origin": origin.encode("latin-1")})
    assert reply.status_code == 403


@pytest.mark.attack("13")
@pytest.mark.parametrize(
    "charset", ["punycode", "undefined", "idna", "hex", "utf-16", "x\x00y", "\xff", "x" * 9000]
)
def test_a_form_in_another_charset_is_refused(client: TestClient, charset: str) -> None:
    """Python has codecs that fail in ways of their own, and its look-up fails at a NUL."""
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nA\xffda\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}".encode("latin-1")
    reply = client.post("/api/people/remove", content=body, headers={"content-type": kind})  # type: ignore[dict-item]
    assert reply.status_code == 400
    assert reply.json()["error"].endswith("send it in UTF-8")


@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"', "us-ascii"])
def test_a_form_may_say_that_it_is_in_utf_8(client: TestClient, charset: str) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nÅsa\r\n--x--\r\n'.encode()
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    reply = client.post("/api/people/remove", content=body, headers={"content-type": kind})
    assert reply.status_code == 409  # it was read; nobody is enrolled


@pytest.mark.attack("13")
def test_two_photographs_of_20_000_pixels_a_side_are_refused(client: TestClient) -> None:
    bomb = png_bomb(20_000, 20_000)
    reply = client.post("/api/verify", files={"first": bomb, "second": bomb})
    assert reply.status_code == 422
    assert "the first photograph announces far more pixels than are read" in reply.json()["error"]


def test_strictness_is_the_callers(client: TestClient, photos: Path) -> None:
    files = two(photos, "ada.jpg", "ben.jpg")
    assert not client.post("/api/verify", files=files).json()["same"]
    assert client.post("/api/verify", files=files, data={"threshold": "-1"}).json()["same"]
    assert client.post("/api/verify", files=files, data={"fmr": "0.001"}).json()["fmr"] == 0.001
    refused = client.post("/api/verify", files=files, data={"fmr": "0.0000001"})
    assert refused.status_code == 422
    assert "supports thresholds" in refused.json()["error"]


FORMER_RATE = {"far": "0.001"}


def test_the_former_field_of_a_rate_is_read(client: TestClient, photos: Path) -> None:
    files = two(photos, "ada.jpg", "ben.jpg")
    answer = client.post("/api/verify", files=files, data=FORMER_RATE).json()
    assert answer == client.post("/api/verify", files=files, data={"fmr": "0.001"}).json()
    client.post("/api/people", data={"name": "Ada"}, files={"photos": files["first"]})
    found = client.post("/api/identify", files={"photo": files["second"]}, data=FORMER_RATE).json()
    assert found["fpir"] == 0.001


def test_what_decided_comes_as_layers_with_transparency(client: TestClient, photos: Path) -> None:
    heat = client.post("/api/explain", files=two(photos, "ada.jpg", "ben.jpg")).json()["heat"]
    assert [decoded(layer).shape for layer in heat] == [(72, 72, 4)] * 2


@pytest.mark.fault("B14")
def test_photographs_that_disagree_are_enrolled_only_by_force(client: TestClient, photos: Path) -> None:
    files = [("photos", (photos / name).read_bytes()) for name in ("ada.jpg", "ben.jpg")]
    refused = client.post("/api/people", data={"name": "Ada"}, files=files)
    assert refused.status_code == 409
    assert refused.json()["error"].startswith("photograph 1, photograph 2: not like Ada's other photographs")
    assert "force=1" in refused.json()["force"]
    assert client.get("/api/people").json() == []
    assert client.post("/api/people", data={"name": "Ada", "force": "1"}, files=files).json()["photos"] == 2


def test_enrol_list_identify_remove(client: TestClient, photos: Path) -> None:
    assert client.get("/api/people").json() == []
    photo = {"photos": (photos / "ada.jpg").read_bytes()}
    enrolled = client.post("/api/people", data={"name": " Ada ", "keep": "1"}, files=photo)
    assert enrolled.status_code == 201
    assert [enrolled.json()[key] for key in ("name", "photos", "kept")] == ["Ada", 1, 1]
    assert [person["name"] for person in client.get("/api/people").json()] == ["Ada"]
    found = client.post("/api/identify", files={"photo": (photos / "ada.png").read_bytes()}).json()
    assert found["name"] == "Ada"
    assert found["people"] == 1
    unknown = client.post(
        "/api/identify", files={"photo": (photos / "ben.jpg").read_bytes()}, data={"fpir": "0.001"}
    )
    assert (unknown.json()["name"], unknown.json()["fpir"]) == (None, 0.001)
    assert client.post("/api/people/remove", files={"name": (None, "Ada")}).json() == {"removed": "Ada"}
    assert client.get("/api/people").json() == []
    assert client.post("/api/people/remove", files={"name": (None, "Ada")}).status_code == 409


def test_names_are_never_paths(client: TestClient, photos: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    photo = {"photos": ("../../evil.jpg", (photos / "ada.jpg").read_bytes())}
    name = "../../../etc/<b>passwd</b>"
    assert client.post("/api/people", data={"name": name}, files=photo).json()["name"] == name
    new = {path.name for path in tmp_path.rglob("*")} - {path.name for path in before}
    assert new == {"people.safetensors", ".people.safetensors.lock"}
    assert not (tmp_path / "evil.jpg").exists()


REFUSED = {
    "no photograph": ({}, 400, "choose the first photograph"),
    "an empty file": ({"first": b""}, 422, "the first photograph is empty"),
    "no image": ({"first": b"nonsense"}, 422, "the first photograph is no image"),
    "no face": ({"first": "blank.png"}, 422, "the first photograph shows no face"),
    "a bomb": ({"first": png_bomb(30_000, 30_000)}, 422, "the first photograph announces far more"),
    "21 MB": ({"first": b"\xff\xd8\xff" + bytes(MAX_BYTES)}, 413, "larger than 32 MB"),
    "100 MB": ({f"extra{i}": bytes(MAX_BYTES - 1) for i in range(5)}, 413, "larger than 64 MB"),
    "too many": ({f"extra{i}": b"x" for i in range(21)}, 400, "Too many files"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unusable_uploads_are_refused_in_a_sentence(client: TestClient, photos: Path, case: str) -> None:
    files, status, said = REFUSED[case]
    given = {name: (photos / f).read_bytes() if isinstance(f, str) else f for name, f in files.items()}
    reply = client.post("/api/verify", files={"second": (photos / "ada.jpg").read_bytes(), **given})
    assert reply.status_code == status
    assert said in reply.json()["error"]


def test_a_large_photograph_stays_in_memory(client: TestClient) -> None:
    """Beyond a megabyte Starlette's own parser would need the temporary folder, which is not there."""
    noise = encoded(np.random.default_rng(0).integers(0, 256, (1800, 1800), dtype=np.uint8), "PNG")
    assert len(noise) > 3_000_000
    reply = client.post("/api/verify", files={"first": noise, "second": noise}, data={"aligned": "1"})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"),
        (b"rubbish", "multipart/form-data; boundary=x"),
        (b"rubbish", "multipart/form-data"),
        (b"", "multipart/form-data; boundary=x"),
    ],
)
def test_other_requests_are_refused(client: TestClient, content: bytes, kind: str) -> None:
    reply = client.post("/api/verify", content=content, headers={"content-type": kind})
    assert reply.status_code == 400
    assert reply.json()["error"]


@pytest.mark.parametrize("field", [{"fmr": "many"}, {"fmr": "2"}, {"fmr": "nan"}, {"threshold": "inf"}])
def test_numbers_out_of_range_are_refused(client: TestClient, photos: Path, field: dict[str, str]) -> None:
    reply = client.post("/api/verify", files=two(photos, "ada.jpg", "ada.png"), data=field)
    assert reply.status_code == 400
    assert "expected a number" in reply.json()["error"]


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2ferrors.py"])
def test_only_the_pages_own_files_are_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    texts = [page.text, *(client.get(f"/static/{name}").text for name in ("page.css", "page.js", "answers.js"))]
    assert not any("//" in text.replace("http://www.w3.org", "").replace("// ", "") for text in texts)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"


def test_nothing_of_a_photograph_or_a_person_is_logged(
    client: TestClient, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="likeness"):
        client.post("/api/people", data={"name": "Ada"}, files={"photos": (photos / "ada.jpg").read_bytes()})
        client.post("/api/identify", files={"photo": (photos / "ada.jpg").read_bytes()})
    assert [record for record in caplog.records if record.name.startswith("likeness")] == []


@pytest.mark.fault("A12")
def test_answers_are_shown_without_pictures(service: Service, photos: Path) -> None:
    ada = (photos / "ada.jpg").read_bytes()
    for answer in (service.verify(ada, ada, Settings()), service.explain(ada, ada, Settings())):
        assert "data:image" not in repr(answer)


@pytest.mark.fault("A12")
def test_the_documentation_names_every_request(service: Service) -> None:
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    documented = set(re.findall(r"^\| `(GET|POST) (/[\w/]+)`", page, re.MULTILINE))
    routes = [route for route in create_app(service).routes if isinstance(route, APIRoute)]
    served = {(method, route.path) for route in routes for method in route.methods}
    assert documented == served - {("GET", "/"), ("POST", "/session")}
    for path, reply in (("/api/verify", VerdictReply), ("/api/identify", IdentityReply)):
        row = next(line for line in page.splitlines() if f"`POST {path}`" in line)
        named = set(re.findall(r"`(\w+)`", row.split("|")[3]))
        assert named <= {field.name for field in dataclasses.fields(reply)}


# Who may talk to it


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8000", "127.0.0.1.nip.io", "", "[", "a@b"]
)
def test_on_loopback_no_other_name_is_answered(client: TestClient, host: str) -> None:
    reply = client.get("/", headers={"host": host})
    assert reply.status_code == 400
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_on_loopback_its_own_names_are(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_forms_of_other_sites_are_refused(client: TestClient, photos: Path, headers: dict[str, str]) -> None:
    photo = {"photos": (photos / "ada.jpg").read_bytes()}
    assert client.post("/api/people", data={"name": "Eve"}, files=photo, headers=headers).status_code == 403
    assert client.get("/api/people").json() == []
    assert (
        client.post("/api/people", data={"name": "Eve"}, files=photo, headers={"origin": HOST}).status_code == 201
    )


def test_without_the_token_nothing_is_answered(guarded: TestClient, photos: Path) -> None:
    for path in ("/health", "/api/people"):
        assert guarded.get(path).status_code == 401
    files = two(photos, "ada.jpg", "ben.jpg")
    for shown in ("", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer ä"):
        headers = {"authorization": shown.encode("latin-1")}
        assert guarded.post("/api/verify", files=files, headers=headers).status_code == 401  # type: ignore[arg-type]
    assert (
        guarded.post("/api/verify", files=files, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    )


def test_a_browser_signs_in(guarded: TestClient) -> None:
    page = guarded.get("/")
    assert page.status_code == 401
    assert 'name="token"' in page.text
    wrong = guarded.post("/session", files={"token": (None, "guessed")})
    assert wrong.status_code == 401
    assert "not the token" in wrong.text
    right: httpx.Response = guarded.post("/session", files={"token": (None, TOKEN)}, follow_redirects=False)
    assert right.status_code == 303
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    assert guarded.get("/").status_code == 200
    assert guarded.get("/api/people").status_code == 200


def test_a_forged_cookie_is_no_token(guarded: TestClient) -> None:
    guarded.cookies.set(cookie_name(TOKEN), session_of("another token altogether"))
    assert guarded.get("/api/people").status_code == 401


def test_the_address_with_the_token_opens_the_page(guarded: TestClient) -> None:
    wrong = guarded.get("/", params={"token": f"{TOKEN}x"})
    assert wrong.status_code == 401
    assert "not the token" in wrong.text
    for _ in range(2):  # the second time with a cookie: the token leaves the address bar as well
        opened = guarded.get("/", params={"token": TOKEN}, follow_redirects=False)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert TOKEN not in opened.headers["set-cookie"]
    assert guarded.get("/api/people").status_code == 200


@pytest.mark.parametrize("path", ["/api/people", "/health", "/session"])
def test_a_token_in_another_address_opens_nothing(guarded: TestClient, path: str) -> None:
    assert guarded.get(path, params={"token": TOKEN}, follow_redirects=False).status_code in (401, 405)


def test_two_services_do_not_sign_each_other_out(guarded: TestClient) -> None:
    """Cookies of one host are sent to, and set by, all its ports."""
    guarded.get("/", params={"token": TOKEN})
    guarded.cookies.set(cookie_name("the token of another"), session_of("the token of another"))
    assert guarded.get("/api/people").status_code == 200


# A newer model


def test_a_newer_model_is_taken_and_a_broken_one_is_not(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "model"
    make_model(folder)
    service = Service(folder, tmp_path / "people.safetensors")
    first = service.verifier
    assert not service.refresh()
    assert service.verifier is first
    make_model(folder, seed=5)
    assert service.refresh()
    second = service.verifier
    assert second.digest != first.digest
    for name in ("weights.safetensors", "card.json"):
        (folder / name).unlink()
        assert not service.refresh()
        assert service.verifier is second
    assert "the model in use is kept" in caplog.text
    assert second.verify(photos / "ada.jpg", photos / "ada.png").same
