"""Feature values as small integers, once for all fits on the same rows.

Boosting on histograms needs no more than the bin of each value. Binning here rather than inside
every fit keeps a quarter of the memory, and no fit has to find weighted quantiles again, which
takes scikit-learn longer than the boosting of a small forest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from classifier.counting import Floats
from classifier.trees import Trees

__all__ = ["Binned", "bin_rows", "unbinned"]

_SAMPLE = 200_000


@dataclass(frozen=True, eq=False)
class Binned:
    """Rows whose values are numbers of bins.

    Attributes
    ----------
    codes : ndarray of uint8, shape (n_rows, n_features)
        How many of the feature's edges lie below the value.
    edges : sequence of ndarray of float32
        Rising edges of each feature's bins; a bin holds its upper edge.
    means : sequence of ndarray of float64
        Mean of the values in each bin, one more than there are edges.
    """

    codes: npt.NDArray[np.uint8]
    edges: Sequence[Floats]
    means: Sequence[npt.NDArray[np.float64]]

    def leading(self, count: int) -> Binned:
        """Return the rows with their first features only."""
        return Binned(self.codes[:, :count], self.edges[:count], self.means[:count])


def _edges(values: Floats, bins: int) -> Floats:
    distinct = np.unique(values)
    if len(distinct) <= bins:
        return distinct[:-1]
    shares = np.linspace(0.0, 1.0, bins + 1)[1:-1]
    edges = np.unique(np.quantile(values, shares, method="inverted_cdf"))
    below: Floats = edges[edges < distinct[-1]]
    return below


def bin_rows(rows: Floats, bins: int) -> Binned:
    """Put the values of each feature into bins of about equal numbers of rows.

    Parameters
    ----------
    rows : ndarray of float32, shape (n_rows, n_features)
        Without NaN.
    bins : int
        Bins a feature, at most 256.

    Returns
    -------
    Binned
        The edges come from every n-th row where there are more than 200,000.
    """
    codes = np.empty(rows.shape, dtype=np.uint8)
    edges, means = [], []
    step = 1 + len(rows) // _SAMPLE
    for place in range(rows.shape[1]):
        column = np.ascontiguousarray(rows[:, place])
        edges.append(_edges(column[::step], bins))
        codes[:, place] = own = edges[-1].searchsorted(column, side="left")
        # every bin holds values of the sample: its upper edge, or the largest
        count, total = (np.bincount(own[::step], weights=x) for x in (None, column[::step]))
        means.append(total / count)
    return Binned(codes, edges, means)


def unbinned(trees: Trees, edges: Sequence[Floats]) -> Trees:
    """Return trees that were fitted on codes as trees on the values themselves.

    No code was missing when they were fitted, so that a missing value may go where it wants: it
    goes left, and the evaluation need not look for any.

    Parameters
    ----------
    trees : Trees
        With thresholds between codes.
    edges : sequence of ndarray of float32
        As in `Binned`.

    Returns
    -------
    Trees
    """
    threshold = trees.threshold.copy()
    for node in np.flatnonzero(trees.feature >= 0).tolist():
        threshold[node] = edges[trees.feature[node]][int(threshold[node])]
    return replace(trees, threshold=threshold, missing_left=trees.feature >= 0)
