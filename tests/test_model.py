from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import Model, PageResult
from classifier.bit_forest import BitForest
from classifier.explain import path_pushes
from classifier.network import SHARE
from classifier.result import line_labels
from classifier.span import BOILERPLATE, CONTENT

ODD = [
    "",
    "\n",
    " \n\t\n",
    "one line",
    "no final newline\nhere",
    "a\r\nb\rc\n",
    "\x00\x01\x02",
    "\ufeff\u200b",
    "lone \udcff surrogate",
    "....\n!!!\n???",
    "١٢٣\n中文\nไทย",
    "word " * 50_000,
]


def same(first: PageResult, second: PageResult) -> bool:
    return (
        first.lines == second.lines
        and first.labels == second.labels
        and first.headline == second.headline
        and np.array_equal(first.content_probability, second.content_probability, equal_nan=True)
    )


@pytest.mark.parametrize("dump", ODD, ids=range(len(ODD)))
def test_odd_dumps_get_a_result(small_model: Model, dump: str) -> None:
    page = small_model.classify(dump)
    assert len(page.labels) == len(page.lines) == len(page.content_probability)
    assert [line for span in page.spans for line in range(span.start, span.stop)] == list(
        range(len(page.lines))
    )
    known = page.content_probability[~np.isnan(page.content_probability)]
    assert ((known >= 0) & (known <= 1)).all()


def test_blank_lines_have_no_probability(small_model: Model) -> None:
    page = small_model.classify("a\n\n \nb")
    assert np.isnan(page.content_probability).tolist() == [False, True, True, False]


def test_a_million_lines(small_model: Model) -> None:
    page = small_model.classify("Home\nA line of text.\n" * 100_000)
    assert len(page.labels) == 200_001


def test_any_batch_any_workers_any_thread_gives_the_same(small_model: Model) -> None:
    dumps = [dump for dump in ODD[:-1] for _ in range(3)] + ["x y z\n" * 40] * 70
    alone = [small_model.classify(dump) for dump in dumps]
    for jobs in (1, 2):
        many = list(small_model.classify_many(dumps, n_jobs=jobs))
        assert len(many) == len(alone)
        assert all(same(a, b) for a, b in zip(alone, many, strict=True))
    found: list[PageResult] = []
    work = [threading.Thread(target=lambda: found.append(small_model.classify(dumps[3])))] * 1
    for thread in work:
        thread.start()
        thread.join()
    assert same(found[0], alone[3])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=5))
def test_batches_do_not_matter(small_model: Model, dumps: list[str]) -> None:
    many = small_model.classify_many(dumps)
    assert all(same(a, small_model.classify(b)) for a, b in zip(many, dumps, strict=True))


def test_bytes_and_text_are_the_same(small_model: Model) -> None:
    assert same(small_model.classify("Größe\nЖ"), small_model.classify("Größe\nЖ".encode()))


def test_other_types_are_refused(small_model: Model) -> None:
    with pytest.raises(TypeError, match="str or bytes"):
        small_model.classify(12)  # type: ignore[arg-type]


def test_content_keeps_paragraphs_and_body_drops_the_headline(small_model: Model) -> None:
    page = small_model.classify("menu\n\nTitle\none\n\n\ntwo\n")
    fixed = PageResult(
        page.page,
        (BOILERPLATE, BOILERPLATE, *(CONTENT,) * 5, BOILERPLATE),
        page.content_probability,
        2,
    )
    assert fixed.content == "Title\none\n\ntwo"
    assert fixed.body == "one\n\ntwo"


def test_a_blank_line_goes_with_its_span() -> None:
    labels = line_labels(np.array([False, True, True, False]), np.array([0, 2, 4, 6]), [0, 8])
    assert "".join(label[0] for label in labels) == "bbcccbbb"


def test_blank_lines_between_two_pages_are_in_no_span() -> None:
    labels = line_labels(np.array([True, True, True]), np.array([0, 3, 5]), [0, 2, 6])
    assert "".join(label[0] for label in labels) == "cbbccc"


def test_presets_move_the_operating_point(small_model: Model) -> None:
    aims = [small_model.with_preset(n).decoder.aim for n in ("recall", "balanced", "precision")]
    assert aims == sorted(aims)
    with pytest.raises(ValueError, match="expected a preset out of precision, balanced, recall"):
        small_model.with_preset("best")


def test_min_probability_is_a_fixed_threshold(small_model: Model) -> None:
    dump = "Home\nThe bridge was open again, and nobody who saw it was surprised.\nShare"
    assert set(small_model.with_min_probability(1.0).classify(dump).labels) == {BOILERPLATE}
    with pytest.raises(ValueError, match="from 0 to 1"):
        small_model.with_min_probability(1.5)


def test_explanation_accounts_for_the_score(networked: Model) -> None:
    page = networked.classify("Home\n\nThe bridge was open again, and nobody was surprised.")
    pushes = page.explain(2)
    assert pushes
    assert [abs(x.push) for x in pushes] == sorted((abs(x.push) for x in pushes), reverse=True)
    scores = networked.scores([page.lines])
    values, network = scores.second[:, 1], networked.second_network
    assert network is not None
    mean = network.scores(values[:, None])[0] - network.pushes(values).sum()
    score = networked._scorers[1][0].scores(scores.second)[1]
    second = sum(x.push for x in pushes if x.stage == "second")
    root = networked.second.value[networked.second.root].sum() + networked.second.baseline
    through = sum(abs(x.push) for x in pushes if x.stage == "first")
    assert abs(score - (1 - SHARE) * root - SHARE * mean - second) <= through + 1e-9
    assert page.explain(1) == []
    assert page.explain(-1) == pushes
    with pytest.raises(IndexError, match="line 7 of a page of 3 lines"):
        page.explain(7)


@pytest.mark.parametrize("bound", [0.0, 100.0])
def test_an_explanation_follows_the_trees_that_were_asked(small_model: Model, bound: float) -> None:
    trees = replace(small_model.second, opening=3, bound=bound)
    values = small_model.scores([["The bridge was open again, and nobody cared."]]).second[:, 0]
    asked = trees.root if bound else trees.root[:3]
    score = BitForest(trees).scores(values[:, None])[0]
    start = trees.baseline + trees.value[asked].sum()
    pushes, found = path_pushes(trees, values)
    assert pushes.sum() == pytest.approx(score - start)
    assert found == pytest.approx(score)


def test_scikit_learn_is_not_imported_at_run_time() -> None:
    heavy = "{'sklearn', 'scipy', 'rich', 'joblib', 'charset_normalizer'}"
    code = f"import sys, classifier; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
