from __future__ import annotations

from pathlib import Path

import pytest

from classifier import Model
from tests.conftest import invented_pages
from tests.test_label_app import FIRST, dumps, said
from training.label_app.dumps import find_dumps
from training.label_app.session import Session, open_session
from training.labeled import read_pages, write_page
from training.records import LabeledPage

__all__ = ["dumps"]


def test_going_on_where_one_left(dumps: Path, tmp_path: Path, small_model: Model) -> None:
    out = tmp_path / "out"
    session = open_session([dumps], out, small_model)
    session.save(0, said(session.read(0), labels="B?.C_."))
    session.save(1, said(session.read(1), labels="BBBB", done=True))
    session.visit(1)
    again = open_session([dumps], out, small_model)
    overview = again.overview()
    assert overview["at"] == 1
    assert [page["done"] for page in overview["pages"]] == [False, True]
    # what was left open on purpose stays apart from what nobody judged
    assert again.read(0)["labels"] == "B?.C_."
    (out / ".label_app.json").write_text('{"pages": [}')
    lost = open_session([dumps], out, small_model)
    assert lost.read(0)["labels"] == "B?.C?."
    (dumps / "a.txt").write_text("Another page")
    with pytest.raises(ValueError, match=r"out/a\.txt: expected the lines of .*a\.txt, found oth"):
        open_session([dumps], out, small_model)


def chosen(session: Session) -> dict[str, tuple[int, ...]]:
    return {page.dump.name: page.wanted for page in session.pages if page.wanted}


def test_a_budget_asks_for_the_most_useful_lines(
    dumps: Path, tmp_path: Path, small_model: Model
) -> None:
    out = tmp_path / "out"
    for number, invented in enumerate(invented_pages(3)):
        (dumps / f"p{number}.txt").write_text(invented.text)
    session = open_session([dumps], out, small_model, budget=6)
    asked = chosen(session)
    assert sum(map(len, asked.values())) == 6
    assert [page.dump.name for page in session.pages][: len(asked)] == list(asked)
    assert len(session.pages) == 5
    overview = session.overview()
    assert overview["budget"] == 6
    assert sum(page["wanted"] for page in overview["pages"]) == 6
    page = session.read(0)
    assert all(page["labels"][line] == "_" for line in page["wanted"])
    labels = list(page["labels"])
    labels[page["wanted"][0]] = "C"
    answer = session.save(0, said(page, labels="".join(labels)))
    assert answer["wanted"] == len(page["wanted"]) - 1
    # the same lines are asked for until all are judged, then others
    again = open_session([dumps], out, small_model, budget=6)
    assert chosen(again) == asked
    for number in range(len(asked)):
        page = again.read(number)
        pairs = zip(page["labels"], page["suggested"], strict=True)
        labels = [guess if i in page["wanted"] else x for i, (x, guess) in enumerate(pairs)]
        again.save(number, said(page, labels="".join(labels)))
    fresh = chosen(open_session([dumps], out, small_model, budget=6))
    assert sum(map(len, fresh.values())) == 6
    assert not any(set(lines) & set(asked.get(name, ())) for name, lines in fresh.items())


def test_the_most_useful_pages_come_first(dumps: Path, tmp_path: Path, small_model: Model) -> None:
    out = tmp_path / "out"
    (dumps / "zz.txt").write_text(FIRST + "\nAn odd line (47)\nOther")
    session = open_session([dumps], out, small_model)
    assert [page.dump.name for page in session.pages] == ["a", "b.example/x", "zz"]
    for number in range(2):
        page = session.read(number)
        session.save(number, said(page, labels=page["suggested"], done=True))
    write_page(out / "other.txt", LabeledPage("o/1", "Home\nText", "BC", "o"))
    (out / "broken.txt").write_text("x")
    first = open_session([dumps], out, small_model, useful_first=True)
    assert [page.dump.name for page in first.pages] == ["zz", "a", "b.example/x"]
    assert first.overview()["budget"] == 0


def test_labelled_dumps_are_gone_over_again_in_place(tmp_path: Path, small_model: Model) -> None:
    path = tmp_path / "a.example" / "x.txt"
    write_page(path, LabeledPage("a.example/x", "Home\nText", "B?", "a.example", source="mine"))
    before = path.read_text()
    session = open_session([path.parent], path.parent, small_model)
    assert session.read(0)["labels"] == "B?"
    session.save(0, said(session.read(0), labels="C?"))
    assert path.read_text() == before.replace("-  Home", "+  Home")


def test_dumps_that_would_be_lost_are_refused(dumps: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected --out to be another folder"):
        find_dumps([dumps], dumps)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.txt").write_text("x")
    with pytest.raises(ValueError, match="would both be saved as"):
        find_dumps([dumps, tmp_path / "more"], tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.example").symlink_to(tmp_path / "more")
    with pytest.raises(ValueError, match="found a link out of it"):
        find_dumps([dumps], tmp_path / "out")


def test_an_out_folder_inside_the_dumps_is_not_read_as_dumps(dumps: Path) -> None:
    (dumps / "out").mkdir()
    (dumps / "out" / "a.txt").write_text("-  Home\n")
    names = [dump.name for dump in find_dumps([dumps], dumps / "out")]
    assert names == ["a", "b.example/x", "empty"]


def test_a_long_line_is_cut_for_the_browser_only(tmp_path: Path, small_model: Model) -> None:
    (tmp_path / "x.txt").write_text("a" * 9000 + "\nb")
    session = open_session([tmp_path / "x.txt"], tmp_path / "out", small_model)
    page = session.read(0)
    assert [len(line) for line in page["text"]] == [4000, 1]
    assert page["cut"] == {0: 9000}
    session.save(0, said(page, labels="CB"))
    assert read_pages([tmp_path / "out"])[0].text == "a" * 9000 + "\nb"
