from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier import BOILERPLATE, CONTENT, Model
from classifier.__main__ import main
from classifier.decoder import Decoder
from classifier.phrases import Phrases, moved, read_phrases

PROSE = "The garden was old again, and nobody who saw the garden that day was surprised."


@pytest.mark.parametrize(
    ("phrase", "line", "there"),
    [
        ("share", "Share", True),
        ("share", "please SHARE, now", True),
        ("share", "shareholders", False),
        ("share", "timeshare", False),
        ("share", "share2025", True),
        ("read  more", "Read\tmore …", True),
        ("read more", "ready, more", False),
        ("© 2025", "x © 2025", True),
        ("2025", "20251", False),
        ("straße", "STRASSE", True),
        ("café", "cafe\u0301", True),
        ("cafe", "café", False),
        ("iphone", "the iPhone", True),
        ("関連記事", "この関連記事一覧", True),
        ("天", "今日の天気", True),
        ("ข่าว", "อ่านข่าวอื่น", True),
        ("コメント", "コメント欄", True),
        ("コメント", "コメントリスト", False),
        ("댓글", "댓글 14", True),
        ("댓글", "댓글을", False),
        ("a", "aa aa a", True),
        ("...", "wait...", True),
    ],
)
def test_a_phrase_is_found_as_whole_tokens(phrase: str, line: str, there: bool) -> None:
    lines = ["before", line, "", "after"]
    expected = [0.0, 4.0 if there else 0.0, 0.0, 0.0]
    assert Phrases(content=(phrase,)).shifts(lines).tolist() == expected


def test_phrases_do_not_reach_over_lines_and_both_kinds_cancel() -> None:
    phrases = Phrases(("read more", "rain"), ("rain", "x"), push=1.5)
    lines = ["read", "more", "rain", "x x x", "read more read more"]
    assert phrases.shifts(lines).tolist() == [0.0, 0.0, 0.0, -1.5, 1.5]
    assert phrases.shifts([]).tolist() == []


def test_moved_adds_to_the_log_odds_and_leaves_others_alone() -> None:
    p = np.array([0.2, 0.2, 0.0, 1.0, 1 / 3])
    found = moved(p, np.array([np.log(4), 0.0, 4.0, -4.0, -np.log(2)]))
    assert found[0] == pytest.approx(0.5)  # odds of 1 to 4 become 1 to 1
    assert found[4] == pytest.approx(0.2)  # odds of 1 to 2 become 1 to 4
    assert found[1] == p[1]
    assert 0 < found[2] < 1e-6 < 1 - 1e-6 < found[3] < 1


@pytest.mark.parametrize("phrase", ["", "  \n"])
def test_empty_phrases_are_refused(small_model: Model, phrase: str) -> None:
    with pytest.raises(ValueError, match="expected a phrase, found"):
        small_model.with_phrases(content=[phrase])
    for push in (-1, 0, 101, float("nan")):
        with pytest.raises(ValueError, match=f"expected a push above 0 and up to 100, .* {push}"):
            small_model.with_phrases(["a"], push=push)
    with pytest.raises(ValueError, match="expected a list of phrases, found one text: 'read more'"):
        small_model.with_phrases("read more")


def test_neighbours_follow_in_the_decoder(small_model: Model) -> None:
    dump = "Home\nSign in\nOdd\nMore\nOdd\nShare\nHome"
    flat = np.array([[-1.0, 1.0], [0.1, 0.1]])
    model = replace(small_model, knots=flat, decoder=Decoder(switch_cost=0.5), headline_threshold=1)
    model = model.with_min_probability(0.35)
    plain = model.classify(dump)
    assert plain.content_probability.max() < 0.3
    assert set(plain.labels) == {BOILERPLATE}
    # alone the two lines would gain 2 * (2 * 0.65 - 2 * 0.5); with the one between 2.6 - 0.5 - 1
    page = model.with_phrases(content=["odd"], push=12).classify(dump)
    assert [label == CONTENT for label in page.labels] == [False, False, *[True] * 3, False, False]
    others = [0, 1, 3, 5, 6]
    assert np.array_equal(page.content_probability[others], plain.content_probability[others])


def test_a_boilerplate_phrase_also_speaks_against_a_headline(small_model: Model) -> None:
    dump = f"Home\nSign in\nShare\nA garden for everyone\n{PROSE}\n{PROSE}\nMost read"
    plain = small_model.classify(dump)
    assert plain.headline == 3
    page = small_model.with_phrases(boilerplate=["for everyone"], push=20).classify(dump)
    assert page.headline != 3
    assert page.labels[3] != CONTENT


def test_any_batch_gives_the_same(small_model: Model) -> None:
    model = small_model.with_phrases(["odd"], ["garden"])
    dumps = ["", f"odd\n\n{PROSE}", "\n\nodd", PROSE]
    for page, dump in zip(model.classify_many(dumps), dumps, strict=True):
        alone = model.classify(dump).content_probability
        assert np.array_equal(page.content_probability, alone, equal_nan=True)


def test_an_explanation_names_the_phrase(small_model: Model) -> None:
    pushes = small_model.with_phrases(boilerplate=["Home"], push=50).classify("Home\nx").explain(0)
    assert (pushes[0].feature, pushes[0].push) == ("boilerplate_phrase", -50)


def test_the_file_of_phrases(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes("\ufeff# why\r\n+ The board \r\n\r\n-\tRead more\r\n-  # one\r\n".encode())
    assert read_phrases(path) == Phrases(("The board",), ("Read more", "# one"))
    path.write_text("+ a\nRead more\n")
    with pytest.raises(ValueError, match=r"p\.txt:2: expected '\+' or '-', .* found 'Read more'"):
        read_phrases(path)


def test_the_command_line(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    page, listed = tmp_path / "page.txt", tmp_path / "p.txt"
    page.write_text("Home\nOdd one\nMenu\n")
    listed.write_text("- home\n")
    assert main(["clean", "--content-phrase", "odd", "--phrases", str(listed), str(page)]) == 0
    assert b"Odd one" in capfdbinary.readouterr().out
    assert main(["explain", "--phrases", str(listed), f"{page}:1"]) == 0
    assert b"boilerplate_phrase: whether the line has" in capfdbinary.readouterr().out
    for arguments, message in (
        (["--phrases", str(tmp_path / "gone.txt")], b"gone.txt: No such file"),
        (["--content-phrase", ""], b"expected a phrase, found ''"),
        (["--phrases", str(page)], b"page.txt:1: expected '+' or '-'"),
    ):
        assert main(["label", *arguments, str(page)]) == 2
        assert message in capfdbinary.readouterr().err
