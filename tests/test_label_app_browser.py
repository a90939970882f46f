"""The labelling page, driven in a headless Chromium as a person would."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from classifier import Model
from tests.conftest import invented_pages
from tests.test_label_app import served
from training.label_app.session import open_session
from training.labeled import read_pages
from training.records import LabeledPage

if TYPE_CHECKING:
    from playwright import sync_api as api
else:
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright: make setup")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs a Chromium, on Debian: apt-get install chromium"
)

HOSTILE = """Home
<script>document.title = 'taken'</script>
<img src=x onerror=alert(1)>
א \u202e b\x1b[2J"""
PATIENCE = 60_000  # milliseconds: a busy machine is no failure
Open = Callable[[], "api.Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[api.Browser]:
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # root has none
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for number, page in enumerate(invented_pages(2)):
        path = tmp_path / "dumps" / f"page{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(page.text)
    (tmp_path / "dumps" / "zz.txt").write_text(HOSTILE)
    return tmp_path / "out"


@pytest.fixture
def opened(out: Path, browser: api.Browser, small_model: Model) -> Iterator[Open]:
    """Return a function that opens the labelling page in a new tab; nothing may go wrong there."""
    wrong: list[str] = []
    with served(open_session([out.parent / "dumps"], out, small_model)) as address:

        def tab() -> api.Page:
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            page.on("console", lambda message: wrong.append(message.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(address)
            page.wait_for_selector(".row.cursor")
            return page

        yield tab
        for context in browser.contexts:
            context.close()
    assert not [text for text in wrong if "ERR_INTERNET_DISCONNECTED" not in text]


def press(page: api.Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def saved(page: api.Page, out: Path, name: str) -> LabeledPage:
    for _ in range(100):  # the page before may be the one that is saved
        if (out / name).exists():
            break
        page.wait_for_timeout(50)
    page.wait_for_selector("#saved[data-state=saved]")
    return read_pages([out / name])[0]


def cursor(page: api.Page) -> int:
    return int(page.get_attribute(".row.cursor", "data-line") or -1)


def test_keys_label_undo_and_save(opened: Open, out: Path) -> None:
    page = opened()
    assert cursor(page) == 0
    press(page, "ArrowDown", "c", "ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown", "b")
    assert page.inner_text("#where").endswith("3 lines taken")
    assert saved(page, out, "page0.txt").labels == "?CBBB???.???"
    press(page, "Control+z", "Control+z")
    page.wait_for_selector("#undo:disabled")
    assert saved(page, out, "page0.txt").labels == "????????.???"
    press(page, "r", "Escape", "End", "?", "Home", "b")
    assert saved(page, out, "page0.txt").labels == "BC??????.???"
    assert page.get_attribute("#line-11", "class") == "row judged"
    press(page, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "h")
    found = saved(page, out, "page0.txt")
    assert (found.labels, found.headline_line) == ("BC??C???.???", 4)
    press(page, "b")  # a headline that is boilerplate is none
    assert saved(page, out, "page0.txt").headline_line is None


def test_accepting_pages_and_going_on_where_one_left(
    opened: Open, out: Path, small_model: Model
) -> None:
    page = opened()
    press(page, "c", "Enter", "ArrowDown", "c")  # the last two are meant for the second page
    assert saved(page, out, "page1.txt").labels.startswith("?C??")
    first = saved(page, out, "page0.txt")
    result = small_model.classify(first.text)
    assert first.labels[0] == "C"
    assert first.labels[1:8] == "".join(label[0].upper() for label in result.labels[1:8])
    assert first.headline_line == result.headline
    assert page.inner_text("#count") == "1 of 3 pages done"
    page.close()
    page = opened()
    assert page.input_value("#pages") == "1"
    assert page.get_attribute("#line-1", "class") == "row judged"
    assert page.get_attribute("#line-2", "class") != "row judged"
    press(page, "[")
    page.wait_for_selector("#previous:disabled")
    assert page.locator(".row.judged").count() == 11
    page.select_option("#pages", "2")
    page.wait_for_selector("#next:disabled")


def test_a_mouse_takes_a_range_and_the_content_follows(
    opened: Open, out: Path, small_model: Model
) -> None:
    page = opened()
    text = invented_pages(1)[0].text
    result = small_model.classify(text)
    js = "all => all.map(p => (p.classList.contains('gap') ? '\\n' : '') + p.innerText).join('\\n')"
    assert page.eval_on_selector_all("#text p", js) == result.content
    start, stop = (page.locator(f"#line-{line} .said").bounding_box() for line in (4, 6))
    assert start
    assert stop
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(stop["x"] + 5, stop["y"] + 5, steps=4)
    page.mouse.up()
    page.click("#boilerplate")
    assert saved(page, out, "page0.txt").labels == "????BBB?.???"
    page.click("#line-6 .sign")
    assert saved(page, out, "page0.txt").labels == "????BBC?.???"
    lines = text.split("\n")
    kept = page.eval_on_selector_all("#text p", "all => all.map(p => p.innerText)")
    assert lines[6] in kept
    assert lines[4] not in kept
    assert lines[5] not in kept
    page.click(f"#text p >> text={lines[6]}")
    assert cursor(page) == 6


def test_lines_are_text_and_never_markup(opened: Open, out: Path) -> None:
    page = opened()
    page.select_option("#pages", "2")
    page.wait_for_selector("#next:disabled")
    press(page, "Home", "Shift+End", "c")
    lines = HOSTILE.replace("\x1b", "\u241b").split("\n")
    js = "all => all.map(row => row.textContent)"
    assert page.eval_on_selector_all(".said", js) == lines
    assert page.eval_on_selector_all("#text p", js) == lines
    assert page.locator("main script, main img").count() == 0
    assert page.title() == "zz: label"
    assert saved(page, out, "zz.txt").text == HOSTILE


def test_facts_of_the_page(opened: Open, out: Path) -> None:
    page = opened()
    page.click("summary")
    page.click("[name=language]")
    press(page, "n", "b")  # which are keys elsewhere
    page.select_option("[name=page_type]", "forum")
    found = saved(page, out, "page0.txt")
    assert (found.language, found.page_type, set(found.labels)) == ("nb", "forum", {"?", "."})


def test_a_budget_walks_over_the_chosen_lines_of_all_pages(
    browser: api.Browser, out: Path, small_model: Model
) -> None:
    session = open_session([out.parent / "dumps"], out, small_model, budget=4)
    asked = [(page.dump.name, line) for page in session.pages for line in page.wanted]
    with served(session) as address:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector(".row.cursor")
        if page.locator(".row.unsure.cursor").count() == 0:
            press(page, "n")
        for done in range(1, 5):
            press(page, " ")
            page.wait_for_function(
                "text => document.getElementById('count').textContent === text",
                arg=f"{done} of 4 chosen lines done",
            )
        assert page.inner_text("#where") == "No unsure line is left."
        page.close()
    judged = [
        (found.id.partition("/")[2], line)
        for found in read_pages([out])
        for line, label in enumerate(found.labels)
        if label in "CB"
    ]
    assert sorted(judged) == sorted(asked)


def test_a_closed_tab_loses_nothing(opened: Open, out: Path) -> None:
    page = opened()
    press(page, "c")
    page.close()
    for _ in range(50):
        if (out / "page0.txt").exists():
            break
        time.sleep(0.05)
    assert read_pages([out / "page0.txt"])[0].labels.startswith("C?")


def test_a_lost_server_is_told_and_saved_to_later(opened: Open, out: Path) -> None:
    page = opened()
    page.context.set_offline(True)
    press(page, "c")
    page.wait_for_selector("#saved[data-state=failed]")
    assert "does not answer" in page.inner_text("#trouble")
    page.context.set_offline(False)
    assert saved(page, out, "page0.txt").labels.startswith("C?")
    assert not page.is_visible("#trouble")


def test_ten_thousand_lines(browser: api.Browser, tmp_path: Path, small_model: Model) -> None:
    dump = tmp_path / "long.txt"
    dump.write_text("\n".join(f"Line {number} of many" for number in range(10_000)))
    with served(open_session([dump], tmp_path / "out", small_model)) as address:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector(".row.cursor")
        press(page, "End", "b")
        page.wait_for_selector("#line-9999.judged")
        press(page, "ArrowUp", "ArrowUp", "c")
        page.wait_for_selector("#line-9997.judged")
        labels = saved(page, tmp_path / "out", "long.txt").labels
        assert (len(labels), labels[-4:]) == (10_000, "?C?B")
        page.close()
