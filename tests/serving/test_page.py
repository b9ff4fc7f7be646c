"""The page in a real browser: every tab by mouse and by keyboard, at the widths of a phone and of a desk."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from likeness.serving.app import create_app
from likeness.serving.model import PACKAGED
from likeness.serving.service import Service
from tests.browsing import CHROMIUM

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

expect.set_options(timeout=30_000)  # the first heat map waits for torch, on however busy a machine

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(model_folder: Path, tmp_path: Path) -> Iterator[str]:
    with running(create_app(Service(model_folder, tmp_path / "people.safetensors"))) as address:
        yield address


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The page under a real server; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport=request.param, reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    elsewhere: list[str] = []
    page.on(
        "request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else elsewhere.append(r.url)
    )
    page.goto(address)
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= request.param["width"]
    assert faults == []
    assert elsewhere == []
    context.close()


def test_two_photographs_get_a_verdict_with_its_reasons(page: Page, photos: Path) -> None:
    button = page.get_by_role("button", name="Compare")
    expect(button).to_be_disabled()
    page.get_by_label("First photograph").first.set_input_files(photos / "ada.jpg")
    page.get_by_label("Second photograph").first.set_input_files(photos / "ada.png")
    button.click()
    answer = page.locator("#compare .answer")
    expect(answer.locator(".verdict")).to_have_text(re.compile(r"the same person, (over )?[\d.]+\s%$"))
    expect(answer).to_contain_text(re.compile("At this limit, about 1 in|accepts is not known"))
    expect(answer.locator(".scale")).to_contain_text("limit")
    expect(
        answer.get_by_role("img", name="0\u202f%, different people, to 100\u202f%, same person")
    ).to_be_visible()
    expect(answer).to_contain_text("equally likely beforehand")
    crops = answer.locator("figure img:not(.heat)")
    expect(crops).to_have_count(2)
    assert crops.first.evaluate("image => image.naturalWidth") == 72
    expect(answer.locator("img.heat")).to_have_count(2)
    expect(answer.locator("img.heat").first).to_have_css("opacity", "0")
    expect(answer).to_contain_text("an approximation")
    page.get_by_label("Second photograph").first.set_input_files(photos / "ben.jpg")
    expect(answer).to_be_hidden()  # it was about other photographs
    button.click()
    expect(answer.locator(".verdict")).to_contain_text("different people")


def test_another_face_of_a_photograph_is_chosen_by_keyboard_too(page: Page, photos: Path) -> None:
    page.get_by_label("First photograph").first.set_input_files(photos / "crowd.jpg")
    page.get_by_label("Second photograph").first.set_input_files(photos / "ada.jpg")
    page.get_by_role("button", name="Compare").click()
    answer = page.locator("#compare .answer")
    expect(answer).to_contain_text("The first photograph shows 2 faces; the largest clear one was taken.")
    second = answer.get_by_role("button", name="Face 2")
    score = answer.locator("dd").first.inner_text()
    second.press("Enter")
    expect(answer).to_contain_text("number 2 was taken")
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(second).to_be_focused()
    expect(answer.locator("dd").first).not_to_have_text(score)
    expect(answer.locator("img.heat")).to_have_count(2)
    page.get_by_label("Second photograph").first.set_input_files(photos / "ada.png")
    page.get_by_role("button", name="Compare").click()
    expect(answer).to_contain_text(
        "the largest clear one was taken"
    )  # the choice was about the former photographs


@pytest.mark.fault("B8")
def test_a_verdict_does_not_outlive_the_options_that_it_was_given_under(page: Page, photos: Path) -> None:
    page.get_by_label("First photograph").first.set_input_files(photos / "ada.jpg")
    page.get_by_label("Second photograph").first.set_input_files(photos / "ada.png")
    page.get_by_role("button", name="Compare").click()
    answer = page.locator("#compare .answer")
    expect(answer).to_contain_text("the same person")
    page.locator("#compare summary").click()
    page.locator("#compare-rate").select_option(index=1)
    expect(answer).to_be_hidden()


@pytest.mark.fault("B8")
def test_options_that_change_while_an_answer_is_under_way_discard_it(page: Page, photos: Path) -> None:
    waiting: list[Route] = []
    page.route("**/api/verify", lambda route: waiting.append(route))
    page.get_by_label("First photograph").first.set_input_files(photos / "ada.jpg")
    page.get_by_label("Second photograph").first.set_input_files(photos / "ada.png")
    page.locator("#compare summary").click()
    with page.expect_request("**/api/verify"):
        page.get_by_role("button", name="Compare").click()
    with page.expect_event("requestfailed"):  # it is aborted
        page.locator("#compare-rate").select_option(index=1)
    expect(page.locator("#compare form")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#compare .answer")).to_be_hidden()
    page.unroute("**/api/verify")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#compare .verdict")).to_be_visible()


@pytest.mark.fault("B9")
def test_a_rejected_file_leaves_no_former_one_chosen(page: Page, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    page.get_by_label("First photograph").first.set_input_files(photos / "ada.jpg")
    page.get_by_label("Second photograph").first.set_input_files(photos / "ada.png")
    expect(page.get_by_role("button", name="Compare")).to_be_enabled()
    page.get_by_label("Second photograph").first.set_input_files(tmp_path / "notes.txt")
    expect(page.get_by_role("alert")).to_contain_text("is no image")
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()
    expect(page.locator("#compare .previews img")).to_have_count(1)


@pytest.mark.fault("B10")
def test_two_files_dropped_on_one_place_fill_both(page: Page) -> None:
    drop = """box => {
        const data = new DataTransfer();
        for (const name of ["a.png", "b.png"]) data.items.add(new File(["x"], name, { type: "image/png" }));
        box.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.locator("#compare .drop").first.evaluate(drop)
    expect(page.locator("#compare .drop.full")).to_have_count(2)
    expect(page.get_by_role("button", name="Compare")).to_be_enabled()


@pytest.mark.parametrize(("tab", "dropped"), [("Compare", 3), ("Identify", 2)])
def test_more_files_than_places_are_refused(page: Page, tab: str, dropped: int) -> None:
    page.get_by_role("tab", name=tab).click()
    panel = page.get_by_role("tabpanel", name=tab)
    drop = """(box, count) => {
        const data = new DataTransfer();
        for (let i = 0; i < count; i++) data.items.add(new File(["x"], `${i}.png`, { type: "image/png" }));
        box.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    panel.locator(".drop").first.evaluate(drop, dropped)
    expect(panel.get_by_role("alert")).to_contain_text(f"these are {dropped}")
    expect(panel.locator(".drop.full")).to_have_count(0)


@pytest.mark.fault("B11")
def test_no_message_names_a_path_of_the_server(page: Page, photos: Path, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Identify").click()
    page.locator("#identify input[type=file]").set_input_files(photos / "ada.jpg")
    page.get_by_role("button", name="Identify").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("enrolled")
    assert "safetensors" not in alert.inner_text()
    assert str(tmp_path) not in alert.inner_text()


@pytest.mark.fault("B14")
def test_the_page_asks_before_it_enrols_photographs_that_disagree(page: Page, photos: Path) -> None:
    enrol(page, [photos / "ada.jpg", photos / "ben.jpg"])
    expect(page.get_by_role("alert")).to_contain_text("not like Ada's other photographs")
    expect(page.locator(".enrolled")).to_contain_text("Nobody yet")
    page.get_by_role("button", name="Enrol all the same").click()
    expect(page.locator(".enrolled")).to_contain_text("2 photographs")
    expect(page.locator("#people .answer")).to_be_focused()  # the button is gone


def test_two_drawn_faces_can_be_tried(page: Page) -> None:
    for _ in range(2):
        page.get_by_role("button", name="Try two drawn faces").click()
        expect(page.locator("#compare .answer .verdict")).to_contain_text("%")
        expect(page.locator("#compare .previews img")).to_have_count(2)
        page.get_by_role("button", name="Remove: First photograph").click()


def test_a_heat_map_starts_at_none_and_takes_its_place_when_it_is_computed(page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/api/explain", lambda route: waiting.append(route))
    with page.expect_request("**/api/explain"):
        page.get_by_role("button", name="Try two drawn faces").click()
    note = page.locator(".heat-note")
    expect(note).to_contain_text("being computed")
    waiting[0].continue_()
    expect(note).to_contain_text("an approximation")
    slider = page.get_by_label("Heat map")
    expect(slider).to_have_value("0")
    slider.fill("60")
    expect(page.locator("img.heat").first).to_have_css("opacity", "0.6")


def test_the_packaged_model_has_no_heat_map_and_the_page_says_why(browser: Browser, tmp_path: Path) -> None:
    with running(create_app(Service(PACKAGED, tmp_path / "people.safetensors"))) as address:
        page = browser.new_page(viewport=PHONE)
        page.goto(address)
        page.get_by_role("button", name="Try two drawn faces").click()
        expect(page.locator(".heat-note")).to_have_text(
            "There is no heat map. PyTorch computes heat maps from a model's weights file, and a model in half "
            "precision, such as the packaged one, comes without it; use the model that it was made from."
        )
        expect(page.get_by_label("Heat map")).to_have_count(0)
        page.close()


def test_candidates_are_shown_on_one_axis_with_the_limit(page: Page, photos: Path) -> None:
    for name in ("ada", "ben"):
        enrol(page, [photos / f"{name}.jpg"], name)
        expect(page.locator(".enrolled")).to_contain_text(name)
    page.get_by_role("tab", name="Identify").click()
    page.locator("#identify input[type=file]").set_input_files(photos / "ada.jpg")
    page.get_by_role("button", name="Identify").click()
    limits = page.locator("#identify .candidates .limit")
    expect(limits).to_have_count(2)
    assert len({limit.bounding_box()["x"] for limit in limits.all()}) == 1  # type: ignore[index]
    expect(page.locator("#identify .at-limit")).to_contain_text("limit")


def test_the_page_says_that_a_printed_photograph_passes(page: Page) -> None:
    expect(page.locator("footer")).to_contain_text("no presentation-attack detection")


def test_nobody_is_enrolled_without_consent(page: Page, photos: Path) -> None:
    page.get_by_role("tab", name="People").click()
    page.get_by_label("Name").fill("Ada")
    page.locator("#people input[type=file]").set_input_files(photos / "ada.jpg")
    expect(page.get_by_role("button", name="Enrol", exact=True)).to_be_disabled()
    page.get_by_label("This person agreed").check()
    expect(page.get_by_role("button", name="Enrol", exact=True)).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(page: Page, photos: Path, scheme: Literal["light", "dark"]) -> None:
    """Each tab as it opens, with an answer, and with a refusal."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert violations(page) == []
    page.get_by_role("button", name="Try two drawn faces").click()
    expect(page.locator("img.heat")).to_have_count(2)
    page.locator("#compare summary").click()
    assert violations(page) == []
    page.get_by_role("tab", name="Identify").click()
    page.locator("#identify input[type=file]").set_input_files(photos / "ada.jpg")
    page.get_by_role("button", name="Identify").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    enrol(page, [photos / "ada.jpg"])
    expect(page.locator(".enrolled")).to_contain_text("1 photograph")
    assert violations(page) == []
    page.get_by_role("button", name="Remove Ada").click()
    assert violations(page) == []
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("tab", name="Identify").click()
    page.get_by_role("button", name="Identify").click()
    expect(page.locator("#identify .candidates")).to_be_visible()
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    """What axe-core finds, by rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


def enrol(page: Page, photographs: Sequence[Path], name: str = "Ada") -> None:
    """Enrols a person who agreed to it."""
    page.get_by_role("tab", name="People").click()
    page.get_by_label("Name").fill(name)
    page.locator("#people input[type=file]").set_input_files(photographs)
    page.get_by_label("This person agreed").check()
    page.get_by_role("button", name="Enrol", exact=True).click()


def test_a_person_is_enrolled_identified_and_removed(page: Page, photos: Path) -> None:
    enrol(page, [photos / "ada.jpg", photos / "ada.png"], "Ada <b>Lovelace</b>")
    enrolled = page.locator(".enrolled")
    expect(enrolled).to_contain_text("Ada <b>Lovelace</b>")  # as text, not as markup
    expect(enrolled).to_contain_text("2 photographs")

    page.get_by_role("tab", name="Identify").click()
    answer = page.locator("#identify .answer")
    for name, verdict in {"ada.jpg": "alike enough", "ben.jpg": "Unknown"}.items():
        page.locator("#identify input[type=file]").set_input_files(photos / name)
        page.get_by_role("button", name="Identify").click()
        expect(answer).to_contain_text(verdict)

    page.get_by_role("tab", name="People").click()
    page.get_by_role("button", name="Remove Ada").click()
    page.get_by_role("button", name="Keep").click()
    expect(enrolled).to_contain_text("Ada")
    page.get_by_role("button", name="Remove Ada").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(enrolled).to_contain_text("Nobody yet")
    expect(page.get_by_role("heading", name="Enrolled")).to_be_focused()


@pytest.mark.parametrize(
    ("file", "said"), [("text.jpg", "The second photograph is no image"), ("blank.png", "shows no face")]
)
def test_what_is_no_face_or_no_image_is_reported(page: Page, photos: Path, file: str, said: str) -> None:
    page.get_by_label("First photograph").first.set_input_files(photos / "ada.jpg")
    page.get_by_label("Second photograph").first.set_input_files(photos / file)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("alert")).to_contain_text(said)


def test_too_large_and_no_image_are_reported_before_anything_is_sent(page: Page, tmp_path: Path) -> None:
    large, text = tmp_path / "large.jpg", tmp_path / "notes.txt"
    large.write_bytes(bytes(33 << 20))
    text.write_text("notes")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for file, said in {large: "larger than 32 MB", text: "is no image"}.items():
        page.get_by_label("First photograph").first.set_input_files(file)
        expect(page.get_by_role("alert")).to_contain_text(said)
    assert sent == []


def test_everything_is_reached_by_keyboard(page: Page, photos: Path) -> None:
    # Listened for from the start: Chromium intercepts choosers only some time after it is asked to.
    page.on("filechooser", lambda chooser: chooser.set_files(photos / "ada.jpg"))
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the page's content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Compare")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Identify")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Identify")).to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_role("tabpanel", name="People")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Compare")).to_be_focused()
    page.keyboard.press("Tab")
    for place in ("First photograph", "Second photograph"):
        expect(page.get_by_label(place).first).to_be_focused()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name=f"Remove: {place}")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=f"Remove: {place}")).to_be_focused()
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Compare")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#compare .answer")).to_contain_text("the same person")


def test_photographs_can_be_dropped_and_pasted(page: Page, photos: Path) -> None:
    content = list((photos / "ada.jpg").read_bytes())
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "ada.jpg", {type: "image/jpeg"}));
            return transfer;
        }""",
        content,
    )
    page.locator("#compare .drop").first.dispatch_event("drop", {"dataTransfer": transfer})
    paste = "data => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data}))"
    page.evaluate(paste, transfer)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#compare .answer")).to_contain_text("the same person")


def test_a_person_signs_in_with_the_token(browser: Browser, model_folder: Path, tmp_path: Path) -> None:
    token = "a token of some length"
    app = create_app(Service(model_folder, tmp_path / "people.safetensors"), loopback=False, token=token)
    with running(app) as address, browser.new_page() as page:
        page.goto(address)
        page.get_by_label("The token").fill("a guess")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not the token")
        page.get_by_label("The token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("tab", name="Compare")).to_be_visible()
        page.wait_for_load_state("networkidle")  # the tabs are seen before their script runs
        page.get_by_role("tab", name="People").click()
        expect(page.locator(".enrolled")).to_contain_text("Nobody yet")


def test_every_control_has_a_name(page: Page) -> None:
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, img")].filter((node) =>
            !(node.getAttribute("aria-label") || node.labels?.length || node.textContent.trim()
              || node.hasAttribute("alt"))).map((node) => node.outerHTML)"""
    )
    assert nameless == []
