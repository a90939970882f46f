from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import vstack

from classifier.features import extract
from classifier.kinds import KINDS, Kinds, kind_rows, page_terms
from training.crossfit import page_rows
from training.stages import Recipe, fit_kinds

PAGES = [["reply quote posted", "reply 12"], [""], ["price cart price", "", "sold 2025"]]


def test_terms_are_the_distinct_words_of_each_page() -> None:
    page, term = page_terms(extract(PAGES), 12)
    assert np.bincount(page, minlength=3).tolist() == [3, 0, 3]
    assert (term < 1 << 12).all()


def test_rows_are_probabilities_and_do_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(0)
    kinds = Kinds(rng.normal(size=(len(KINDS), 256)).astype(np.float32), rng.normal(size=7))
    together = kind_rows(extract(PAGES), kinds)
    assert together.sum(axis=0) == pytest.approx(np.ones(4), abs=1e-6)
    assert (together[:, 0] == together[:, 1]).all()
    assert np.array_equal(together[:, 2:], kind_rows(extract(PAGES[2:]), kinds))


@pytest.mark.parametrize("types", [["forum", "product"], ["forum", "product", "article"]])
def test_a_fit_tells_the_kinds_apart(types: list[str]) -> None:
    pages = [["reply quote posted"], ["price cart sold"], ["yesterday said minister"]]
    batch = extract(pages[: len(types)] * 4)
    recipe = Recipe(kind_bits=12)
    known = [*types * 4, None]
    rows = vstack([page_rows(batch, 12), page_rows(extract([["cart"]]), 12)], format="csr")
    found = kind_rows(batch, fit_kinds(rows, known, np.ones(len(known)), recipe))
    assert [KINDS[place] for place in found.argmax(axis=0)[: len(types)]] == types
    missing = [KINDS.index(kind) for kind in KINDS if kind not in types]
    assert found[missing].max() < 1e-6


def test_without_kinds_all_are_as_probable() -> None:
    batch = extract(PAGES)
    kinds = fit_kinds(page_rows(batch, 8), [None, "odd", "forum"], np.ones(3), Recipe(kind_bits=8))
    assert kind_rows(batch, kinds) == pytest.approx(1 / len(KINDS))
