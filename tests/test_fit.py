from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.model_file import load_model, save_model
from tests.conftest import invented_pages, small_recipe
from training import evaluate, fit, stages
from training.dataset import VARIANTS, build, draw, fold_of, walk
from training.labeled import write_jsonl
from training.records import LabeledPage, headline_of
from training.tuning import Outcome, calibrate, word_scores


def test_the_same_data_and_seed_give_the_same_bytes(
    pages: Sequence[LabeledPage], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        save_model(fit.fit(pages, small_recipe()), tmp_path / name)
    for file in ("model.npz", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_cross_validation_finds_the_content(pages: Sequence[LabeledPage]) -> None:
    found = fit.cross_validate(pages, small_recipe())
    report = evaluate.evaluate_pages(pages, found)
    assert report.total.figures["word_f1"].value > 0.9
    assert report.total.figures["auc"].value > 0.9


def test_the_report_comes_before_the_final_fit(pages: Sequence[LabeledPage]) -> None:
    class Stop(Exception):
        pass

    def report(found: fit.CrossValidation) -> None:
        assert len(found.predictions) == len(found.cut) == len(pages)
        raise Stop

    with pytest.raises(Stop):
        fit.fit(pages, small_recipe(), report=report)


def test_the_work_that_is_told_comes_to_the_total(pages: Sequence[LabeledPage]) -> None:
    told: list[float] = []
    fit.fit(pages, small_recipe(lines=8), told.append)
    assert sum(told) == pytest.approx(fit.total_work(pages, small_recipe(lines=8), True), rel=0.4)


def test_a_site_is_in_one_fold() -> None:
    sites = [f"s{n % 7}" for n in range(40)]
    folds = fold_of(sites, 3, seed=1)
    assert len({(site, fold) for site, fold in zip(sites, folds.tolist(), strict=True)}) == 7
    assert np.bincount(folds).max() - np.bincount(folds).min() <= 6


def test_more_sites_hardly_move_the_others() -> None:
    sites = [f"s{n % 300}" for n in range(900)]
    before, after = fold_of(sites, 5, seed=0), fold_of([*sites, *"abcdef"], 5, seed=0)
    assert np.mean(before != after[:900]) < 0.05
    assert np.mean(before != fold_of(sites, 5, seed=1)) > 0.5


def test_renderings_share_a_page_s_weight() -> None:
    first = LabeledPage("a/1#x", "a", "C", "s")
    pages = [first, replace(first, id="a/1#y"), replace(first, id="b/2")]
    data = build(pages, folds=2, seed=0, factors={"own": 3.0})
    assert data.weight[:3].tolist() == [0.5, 0.5, 3.0]


def test_drawn_lines_hold_the_headline() -> None:
    text = "\n".join(f"line {n}" for n in range(50))
    page = LabeledPage("x/1", text, "B" * 50, "s", headline_line=31)
    data = build([page], folds=1, seed=0, factors={})
    for seed in range(5):
        for batch, members in walk(data, lambda _: None, data.lent):
            sample, _ = draw(data, batch, members, 4, np.random.default_rng(seed))
            assert 31 in sample.column[sample.page == 0]
            assert sample.headline[(sample.page == 0) & (sample.column == 31)].tolist() == [1]


def test_pages_weigh_alike_for_content_and_by_the_root_of_their_lines_for_headlines() -> None:
    short, long = ("\n".join(["two words"] * count) for count in (3, 12))
    pages = [LabeledPage("x/1", short, "BCC", "s"), LabeledPage("x/2", long, "BC" * 6, "t")]
    data = build(pages, folds=2, seed=0, factors={"own": 2.0})
    (batch, members), *_ = walk(data, lambda _: None, data.lent, np.arange(2))
    sample, _ = draw(data, batch, members, 12, np.random.default_rng(0))
    total, rare = (np.bincount(sample.page, w) for w in (sample.weight, sample.headline_weight))
    assert total.tolist() == pytest.approx([2.0, 2.0])
    assert rare[1] == pytest.approx(2 * rare[0])


@pytest.mark.parametrize(("label", "content"), [("?", 1), ("C", 1), ("B", 0)])
def test_a_headline_that_is_not_judged_is_learned_as_content(label: str, content: int) -> None:
    page = LabeledPage("x/1", "a\nb\nc", f"B{label}?", "s", headline_line=1)
    data = build([page], folds=1, seed=0, factors={})
    (batch, members), *_ = walk(data, lambda _: None, data.lent)
    sample, _ = draw(data, batch, members, 3, np.random.default_rng(0))
    own = sample.page == 0
    assert dict(zip(sample.column[own], sample.content[own], strict=True)) == {0: 0, 1: content}


def test_variants_are_only_learned_from(pages: Sequence[LabeledPage]) -> None:
    data = build(pages, folds=2, seed=0, factors={})
    assert data.n_given == len(pages)
    names = [page.id.partition("~")[0] for page in data.pages]
    fold = dict(zip(names[: len(pages)], data.fold.tolist(), strict=False))
    assert [fold[name] for name in names] == data.fold.tolist()
    kinds = {page.id.partition("~")[2]: w for page, w in zip(data.pages, data.weight, strict=True)}
    assert kinds == {"": 1.0, **VARIANTS}


def test_the_unjudged_line_of_wcxb_is_its_headline() -> None:
    assert headline_of(LabeledPage("wcxb_dev/1#wet", "a\nb", "B?", "s")) == 1
    assert headline_of(LabeledPage("wcxb_dev/1#wet", "a\nb", "BB", "s")) is None
    assert headline_of(LabeledPage("other/1", "a\nb", "B?", "s")) is None


def outcome(score: list[float], truth: list[int]) -> Outcome:
    n = len(score)
    words, lines = np.full(n, 10), np.arange(n)
    return Outcome(np.array(score), np.zeros(n), words, np.array(truth, np.int8), lines, None)


def test_calibration_rises_and_meets_the_mean() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(0, 2, 4000)
    truth = (rng.random(4000) < 1 / (1 + np.exp(-2 * score))).astype(int)
    knots = calibrate([outcome(score.tolist(), truth.tolist())], np.ones(1))
    assert (np.diff(knots[0]) > 0).all()
    assert (np.diff(knots[1]) >= 0).all()
    assert abs(np.interp(score, *knots).mean() - truth.mean()) < 0.01


def test_word_scores_of_labels_by_hand() -> None:
    truth = np.array([1, 1, 0, -1], dtype=np.int8)
    chosen = np.array([True, False, True, True])
    found = word_scores(truth, np.full(4, 10), chosen, np.array([4]))
    assert found.tolist() == [[0.5, 0.5, 0.5]]


def test_word_scores_of_pages_one_after_the_other() -> None:
    truth = np.array([1, 1, 0, -1, 0, 0, 1], dtype=np.int8)
    words = np.array([10, 30, 30, 5, 2, 2, 2])
    chosen = np.array([True, False, True, True, False, False, False])
    found = word_scores(truth, words, chosen, np.array([4, 1, 0, 2]))
    assert found.tolist() == [[0.25, 0.25, 0.25], [1, 1, 1], [1, 1, 1], [0, 0, 0]]


def test_pages_without_a_known_headline_train_a_model_that_finds_none(
    pages: Sequence[LabeledPage], tmp_path: Path
) -> None:
    save_model(fit.fit([replace(p, headline_line=None) for p in pages], small_recipe()), tmp_path)
    result = load_model(tmp_path).classify(pages[0].text)
    assert result.headline is None
    assert "content" in result.labels


def test_an_interrupt_ends_the_fits_at_once_and_writes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.fit", "labeled", "--out", str(tmp_path / "model")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(8)  # it has begun to fit by then
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=10)
    assert running.returncode == 130
    assert said.endswith("training.fit: stopped; no model was written\n")
    assert not (tmp_path / "model").exists()


def test_pages_of_one_site_are_refused(pages: Sequence[LabeledPage]) -> None:
    with pytest.raises(ValueError, match="at least two sites"):
        fit.fit([replace(page, site="s") for page in pages], small_recipe())


def test_pages_without_content_are_refused(pages: Sequence[LabeledPage]) -> None:
    with pytest.raises(ValueError, match="lines of content and of boilerplate"):
        fit.fit([replace(p, labels=p.labels.replace("C", "B")) for p in pages], small_recipe())


@pytest.mark.parametrize("text", ["silver", "silver=x", "silver=-1", "silver=nan"])
def test_weights_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        stages.parse_factors([text])


@pytest.mark.parametrize("share", ["0", "-1", "1.5", "nan"])
def test_a_share_of_features_is_one(
    share: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "pages.jsonl", invented_pages())
    command = [str(tmp_path / "pages.jsonl"), "--out", str(tmp_path / "m"), "--features", share]
    assert fit.main(command) == 2
    assert "expected a share of the features" in capsys.readouterr().err


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fit, "Recipe", small_recipe)
    data, out, figures = tmp_path / "d.jsonl", tmp_path / "m", tmp_path / "f.json"
    write_jsonl(data, invented_pages())
    assert fit.main([str(data), "--out", str(out)]) == 0
    assert evaluate.main([str(out), str(data), "--json", str(figures)]) == 0
    assert json.loads(figures.read_text())["total"]["figures"]["word_f1"]["value"] > 0.9
    assert "word f1" in capsys.readouterr().out


def test_mistakes_end_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit.main([str(tmp_path / "none"), "--out", str(tmp_path / "m")]) == 2
    assert "none: expected a file or a folder" in capsys.readouterr().err
    own = str(Path(__file__).parents[1] / "labeled")
    assert fit.main([own, "--lines", "0", "--out", str(tmp_path / "m")]) == 2
    assert "expected at least one line of a page to learn from; found 0" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()
    assert evaluate.main([str(tmp_path), str(tmp_path)]) == 2
    assert evaluate.main([str(tmp_path)]) == 2
