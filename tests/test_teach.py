from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier import Model, ModelError, load_model
from classifier.correction import AGAIN, STRANGE, SURE, Correction
from classifier.features import extract
from classifier.model_file import save_model
from classifier.phrases import moved
from classifier.report import explanation
from classifier.scoring import SECOND_NAMES, Blend
from classifier.span import BOILERPLATE, CONTENT
from tests.test_model_file import repack
from training import fit, teach_curve
from training.labeled import write_jsonl
from training.records import LabeledPage
from training.teach import check, learn, lessons

MENU = ["Kestrel Quay", "Tide tables", "Harbour dues", "Moorings", "Chandlery", "Slipway hire"]
FOOT = ["Ask the harbour master", "Berths to let", "Notices to mariners", "Webcam of the pier"]
SHIPPED = Path(__file__).parents[1] / "models" / "default"
NOTE = "The harbour office was open again, and nobody who saw the harbour was surprised by it."
TIDES = ["high", "low", "spring", "neap", "slack", "rising"]


def site_pages(count: int, site: str = "quay.example") -> list[LabeledPage]:
    """Return pages of a site whose prose about its office stands on all of them as boilerplate."""
    pages = []
    for number in range(count):
        tide = TIDES[number % len(TIDES)]
        prose = [
            f"The {tide} tide was {word} that day, and nobody who saw the {tide} tide was sorry."
            for word in ("late", "early", "loud")
        ]
        lines = [*MENU, *prose, NOTE, *FOOT]
        labels = "B" * len(MENU) + "CCC" + "B" * (1 + len(FOOT))
        pages.append(LabeledPage(f"{site}/{number}", "\n".join(lines), labels, site))
    return pages


@pytest.fixture(scope="module")
def taught(small_model: Model) -> Model:
    return replace(small_model, correction=learn(lessons(small_model, site_pages(2))))


AT = len(MENU) + 3


def test_two_pages_flip_a_line_that_the_site_repeats(small_model: Model, taught: Model) -> None:
    fresh = site_pages(5)[4].text
    before, after = small_model.classify(fresh), taught.classify(fresh)
    assert before.lines[AT] == NOTE
    assert (before.labels[AT], after.labels[AT]) == (CONTENT, BOILERPLATE)
    assert after.labels[len(MENU) : AT] == (CONTENT,) * 3


def test_both_stages_see_what_was_taught(small_model: Model, taught: Model) -> None:
    lines = site_pages(5)[4].text.split("\n")
    before, after = (model.scores([lines]) for model in (small_model, taught))
    assert taught.correction is not None
    shift = taught.correction.shifts(before.batch)
    score = SECOND_NAMES.index("score")
    first = np.clip(before.second[score] + shift, -8, 8)
    np.testing.assert_allclose(after.second[score], first, rtol=1e-5)
    unshifted = replace(taught, correction=None)
    assert np.array_equal(unshifted.scores([lines]).content, before.content)
    scorer = Blend(small_model.second, small_model.second_network)
    chance = np.interp(scorer.scores(after.second), *small_model.knots)
    expected = moved(chance, AGAIN * shift)
    np.testing.assert_allclose(after.content, expected, rtol=1e-12)


def test_pages_of_other_sites_stay_as_they_are_bit_for_bit(
    small_model: Model, taught: Model, pages: Sequence[LabeledPage]
) -> None:
    for page in pages:
        before, after = small_model.classify(page.text), taught.classify(page.text)
        assert before.labels == after.labels
        assert np.array_equal(before.content_probability, after.content_probability, equal_nan=True)


@pytest.mark.parametrize(("shared", "trust"), [(STRANGE, 0.0), (STRANGE + 1, 0.25), (SURE, 1.0)])
def test_a_page_is_recognised_by_its_pairs_of_lines(
    taught: Model, shared: int, trust: float
) -> None:
    chrome = site_pages(1)[0].text.split("\n")
    run = [*chrome[: len(MENU)], "Fog", *chrome[AT:]]  # five pairs, then four
    assert taught.correction is not None
    lines = run[: shared + 1] if shared < len(MENU) else run[: shared + 3]
    _, found = taught.correction.found(extract([lines]))
    assert found.tolist() == [trust]


def test_a_page_does_not_depend_on_those_beside_it(
    taught: Model, pages: Sequence[LabeledPage]
) -> None:
    texts = [site_pages(3)[2].text, pages[0].text, "", site_pages(4)[3].text]
    together = [x.content_probability for x in taught.classify_many(texts)]
    for text, found in zip(texts, together, strict=True):
        alone = taught.classify(text).content_probability
        assert np.array_equal(alone, found, equal_nan=True)


def test_lines_of_two_sites_are_judged_by_their_own_site(small_model: Model) -> None:
    first = site_pages(2)
    second = [
        replace(
            page,
            id=f"b/{number}",
            site="b.example",
            text=page.text.replace("harbour master", "beadle").replace("Tide tables", "Clocks")
            .replace("Harbour dues", "Tolls").replace("Chandlery", "Bells")
            .replace("Berths", "Rooms").replace("Webcam", "Map"),
            labels=page.labels[:AT] + "C" + page.labels[AT + 1 :],
        )
        for number, page in enumerate(first)
    ]  # fmt: skip
    model = replace(small_model, correction=learn(lessons(small_model, [*first, *second])))
    assert model.classify(first[0].text).labels[AT] == BOILERPLATE
    assert model.classify(second[0].text).labels[AT] == CONTENT


def test_the_explanation_tells_what_was_taught(small_model: Model) -> None:
    taught = replace(small_model, correction=learn(lessons(small_model, site_pages(3))))
    page = taught.classify(site_pages(5)[4].text)
    found = [x for x in page.explain(AT) if x.stage == "taught"]
    assert [x.feature for x in found] == ["taught"]
    assert found[0].push < -1
    assert "that the model was taught" in explanation(page, AT, found, 1)


def test_a_taught_model_is_saved_and_loaded(taught: Model, tmp_path: Path) -> None:
    save_model(taught, tmp_path)
    loaded, text = load_model(tmp_path), site_pages(5)[4].text
    assert np.array_equal(
        loaded.classify(text).content_probability, taught.classify(text).content_probability
    )
    save_model(loaded, tmp_path / "again")
    assert (tmp_path / "again/model.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", np.full(8, np.inf, np.float16)),
        ("weights", np.zeros(6, np.float16)),
        ("weights", np.zeros(8)),
        ("lines", np.array([2, 1], np.uint64)),
        ("lines", np.array([[1, 2]], np.uint64)),
        ("pairs", np.array([1, 2], np.int64)),
        ("sites", np.array([0], np.uint16)),
        ("sites", np.array([print], dtype=object)),
    ],
)
def test_corrections_that_do_not_hold(
    taught: Model, tmp_path: Path, name: str, value: np.ndarray[Any, Any]
) -> None:
    save_model(taught, tmp_path)
    repack(tmp_path, **{f"correction_{name}": value})
    with pytest.raises(ModelError, match="damaged"):
        load_model(tmp_path)


def test_half_a_correction_is_refused(small_model: Model, tmp_path: Path) -> None:
    save_model(small_model, tmp_path)
    repack(tmp_path, correction_weights=np.zeros(8, np.float16))
    with pytest.raises(ModelError, match="damaged"):
        load_model(tmp_path)


def test_an_empty_correction_does_nothing(small_model: Model) -> None:
    none, text = np.zeros(0, np.uint64), site_pages(1)[0].text
    empty = Correction(np.zeros(8, np.float32), none, none, np.zeros(0, np.uint16))
    found = replace(small_model, correction=empty).classify(text).content_probability
    assert np.array_equal(found, small_model.classify(text).content_probability)


def test_each_page_is_judged_by_the_others(small_model: Model) -> None:
    alone = site_pages(1, "alone.example")
    renderings = [replace(alone[0], id=f"alone.example/0#{name}") for name in "ab"]
    known = lessons(small_model, [*site_pages(3), *renderings])
    found = list(check(small_model, known))
    assert [x.page.id for x in found] == [f"quay.example/{n}" for n in range(3)]
    assert all(x.trust == 1.0 for x in found)
    assert [(x.before.labels[AT], x.after.labels[AT]) for x in found] == [
        (CONTENT, BOILERPLATE)
    ] * 3


def test_pages_without_a_judged_line_are_refused(small_model: Model) -> None:
    page = replace(site_pages(1)[0], labels="?" * len(site_pages(1)[0].labels))
    with pytest.raises(ValueError, match="expected lines of content or boilerplate"):
        learn(lessons(small_model, [page]))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "site.jsonl", site_pages(3))
    return tmp_path / "site.jsonl"


def test_the_command(
    model_folder: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        arguments = [str(data), "--base", str(model_folder), "--out", str(tmp_path / name)]
        assert fit.main(arguments) == 0
    said = capsys.readouterr().out
    assert "mean of 3" in said
    header, base = (
        json.loads((folder / "model.json").read_text()) for folder in (tmp_path / "a", model_folder)
    )
    assert header["taught"]["base_npz_sha256"] == base["npz_sha256"]
    assert header["taught"]["sites"] == ["quay.example"]
    assert header["taught"]["left_out"]["after"] > header["taught"]["left_out"]["before"]
    for file in ("model.npz", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert load_model(tmp_path / "a").classify(site_pages(6)[5].text).labels[AT] == BOILERPLATE


def test_one_page_is_enough_but_nothing_can_be_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "one.jsonl", site_pages(1))
    out = tmp_path / "m"
    assert fit.main([str(tmp_path / "one.jsonl"), "--base", str(SHIPPED), "--out", str(out)]) == 0
    assert "one labelled page of quay.example: nothing could be checked" in capsys.readouterr().out
    assert load_model(out).classify(site_pages(6)[5].text).labels[AT] == BOILERPLATE


def test_mistakes_end_with_a_sentence(
    model_folder: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "m")
    assert fit.main([str(data), "--base", str(tmp_path / "none"), "--out", out]) == 2
    assert "expected a model directory" in capsys.readouterr().err
    taught = [str(data), "--base", str(model_folder), "--out", out]
    for option in ("--weight own=2", "--figures f", "--lines 9", "--seed 1"):
        assert fit.main([*taught, *option.split()]) == 2
        assert f"expected no {option.split()[0]} with --base" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_the_curve(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svg = tmp_path / "curve.svg"
    arguments = [str(SHIPPED), str(data), "--counts", "1", "2", "--draws", "2"]
    assert teach_curve.main([*arguments, "--svg", str(svg)]) == 0
    row = next(x for x in capsys.readouterr().out.split("\n") if x.startswith("| quay.example"))
    untaught, one, two, labels = (float(cell) for cell in row.split("|")[2:6])
    assert untaught < one <= two <= labels == 1.0
    assert svg.read_text().count("<polyline") == 2
    assert teach_curve.main([str(SHIPPED), str(data)]) == 2
