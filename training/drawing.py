"""The lines that the stages learn from: drawn from all pages, with their features and terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from classifier.features import Batch
from classifier.kinds import page_terms
from training.binning import Binned, bin_rows
from training.dataset import Dataset, Sample, draw, walk
from training.progress import Tick
from training.stages import Recipe, term_rows

__all__ = ["Rows", "draw_rows", "page_rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Drawn lines: what they are, their features and hashed terms; and the terms of all pages.

    `trust` is the share of its weight that each line's label is given: in row n where fold n is
    left out, in the last row where none is; shape (n_folds + 1, n_rows).
    """

    sample: Sample
    first: Binned
    terms: csr_matrix
    page_terms: csr_matrix
    trust: npt.NDArray[np.float64]


def draw_rows(data: Dataset, recipe: Recipe, tick: Tick) -> Rows:
    """Draw training lines from all pages and extract their features."""
    rng = np.random.default_rng(recipe.seed)
    samples, first, terms = [], [], []
    words = [csr_matrix((1, 1 << recipe.kind_bits))] * len(data.pages)
    for batch, members in walk(data, tick, data.lent):
        sample, columns = draw(data, batch, members, recipe.lines, rng)
        samples.append(sample)
        first.append(np.ascontiguousarray(batch.matrix[:, columns].T))
        terms.append(term_rows(batch, columns, recipe.word_bits))
        for index, row in zip(members, page_rows(batch, recipe.kind_bits), strict=True):
            words[index] = row
    joined = [
        np.concatenate([getattr(s, name) for s in samples])
        for name in ("page", "column", "content", "headline", "weight")
    ]
    return Rows(
        Sample(*joined),
        bin_rows(np.concatenate(first), recipe.bins),
        vstack(terms, format="csr"),
        vstack(words, format="csr"),
        np.ones((recipe.folds + 1, len(joined[0]))),
    )


def page_rows(batch: Batch, bits: int) -> csr_matrix:
    """Return the hashed words of each page, each page of length one."""
    page, term = page_terms(batch, bits)
    values = 1.0 / np.sqrt(np.bincount(page, minlength=batch.text.n_pages)[page])
    return csr_matrix((values, (page, term)), shape=(batch.text.n_pages, 1 << bits))
