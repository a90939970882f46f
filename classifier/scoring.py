"""The rows that the second stage sees, and what the stages say of a batch of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .bit_forest import BitForest
from .counting import Floats
from .features import FEATURE_NAMES, N_OWN, Batch
from .kinds import KIND_FEATURES, Kinds, kind_rows
from .network import DOUBT, SHARE, Network
from .runs import HEADLINE_FEATURES, headline_rows
from .stacking import STACKING_FEATURES, probability, stacking_rows
from .trees import Trees
from .vocabulary import Doubles
from .wording import wording_score

__all__ = [
    "HEADLINE_NAMES",
    "SECOND_NAMES",
    "Blend",
    "Scores",
    "headline_chance",
    "second_blocks",
]

HEADLINE_NAMES: tuple[str, ...] = (*FEATURE_NAMES[:N_OWN], *STACKING_FEATURES, *KIND_FEATURES)
"""Names of the features that the second stage's headline is found by.

It does not see what the first stage says of the headline, which it would trust too much.
"""

SECOND_NAMES: tuple[str, ...] = (*HEADLINE_NAMES, *HEADLINE_FEATURES)
"""Names of the features of the second stage, in the order of its matrix's rows."""

_FIRST_SHARE = 0.4
"""Share of the first stage in the log odds of being the headline."""

_CANDIDATE = -6.0
"""The first stage's log odds of being the headline at which the second one looks at a line at all.

Above it lie one line in ten and 99 % of the headlines, so that the second forest may be large.
"""


class Blend:
    """A forest, and a network that sees the same features where there is one.

    Parameters
    ----------
    trees : Trees
    network : Network or None
    """

    def __init__(self, trees: Trees, network: Network | None) -> None:
        self._forest, self._network = BitForest(trees), network

    def scores(self, *blocks: Floats) -> Doubles:
        """Return the weighted mean of their log odds, of blocks of features as each takes them.

        Of lines that the forest does not doubt, the log odds are the forest's.
        """
        scores = self._forest.scores(*blocks)
        if self._network is not None:
            doubted = np.flatnonzero(np.abs(scores) < DOUBT)
            other = self._network.scores(*blocks, lines=doubted)
            scores[doubted] += SHARE * (other - scores[doubted])
        return scores


@dataclass(frozen=True, eq=False)
class Scores:
    """What the stages say of the non-blank lines of a batch.

    Attributes
    ----------
    batch : Batch
    blocks : tuple of ndarray of float32, shape (n_features, n_lines)
        Features of the second stage, as :func:`second_blocks` returns them.
    content, headline : ndarray of float64, shape (n_lines,)
        Calibrated probability of content, and probability of being the headline.
    """

    batch: Batch
    blocks: tuple[Floats, ...]
    content: Doubles
    headline: Doubles

    @cached_property
    def second(self) -> Floats:
        """Features of the second stage in one matrix, of shape (len(SECOND_NAMES), n_lines)."""
        return np.concatenate(self.blocks)


def second_blocks(
    batch: Batch,
    first: tuple[Blend, BitForest],
    wording: npt.NDArray[np.float32],
    kinds: Kinds,
    shift: Doubles | None = None,
) -> tuple[Floats, ...]:
    """Return the features of the second stage, in the order of `SECOND_NAMES`.

    They are not put together, since copying them takes longer than the headline's trees.

    Parameters
    ----------
    batch : Batch
    first : tuple of (Blend, BitForest)
        The first stage: of content and of the headline.
    wording : ndarray of float32, shape (2**bits,)
    kinds : Kinds
    shift : ndarray of float64, shape (n_lines,), optional
        What the first stage's log odds of content are moved by.

    Returns
    -------
    tuple of ndarray of float32, shape (n_features, n_lines)
        Blocks whose rows follow one another; all but the last are named in `HEADLINE_NAMES`.
    """
    worded = wording_score(batch.text, batch.tokens, wording)
    score, headline = (forest.scores(batch.matrix) for forest in first)
    rows = stacking_rows(batch, score if shift is None else score + shift, worded)
    top = headline_rows(batch.text, batch.words, headline)
    return batch.matrix[:N_OWN], rows, kind_rows(batch, kinds), top


def headline_chance(blocks: Sequence[Floats], headline: BitForest) -> Doubles:
    """Return the probability of each line of being the headline, by both stages' log odds.

    Parameters
    ----------
    blocks : sequence of ndarray of float32, shape (n_features, n_lines)
        As :func:`second_blocks` returns them.
    headline : BitForest
        The second stage's forest of the headline.

    Returns
    -------
    ndarray of float64, shape (n_lines,)
        0 where the first stage finds it too improbable for a look.
    """
    *blind, (first, *_) = blocks
    likely = np.flatnonzero(first > _CANDIDATE)
    second = headline.scores(*(block.take(likely, axis=1) for block in blind))
    chance = np.zeros(len(first))
    chance[likely] = probability(
        (1.0 - _FIRST_SHARE) * second + _FIRST_SHARE * first[likely].astype(np.float64)
    )
    return chance
