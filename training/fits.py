"""Fits of forests and networks: several at once, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from training.binning import Binned
from training.forests import fit_forest
from training.networks import fit_network
from training.progress import Tick
from training.stages import Recipe

__all__ = ["Fit", "at_once", "forest_fit", "network_fit", "second_forest_of", "stages_work"]

Doubles = npt.NDArray[np.float64]
Fit = tuple[float, Callable[[], Any]]
"""What a fit costs, in pages of feature extraction, and the fit."""

_FOREST_COST = 1e-3  # a tree of all features' time on one line, in those of a page's extraction
_EPOCH = 10.0  # such trees whose time a network takes to see the lines once
_DOUBTFUL = 0.4  # share of the drawn lines that later trees learn from


def forest_fit(
    seen: Binned, target: npt.NDArray[np.int8], weight: Doubles, settings: dict[str, Any], seed: int
) -> Fit:
    """Return the fit of a forest, see :func:`training.forests.fit_forest`."""
    cost = _forest_work(len(target), settings)
    return cost, partial(fit_forest, seen, target, weight, settings, seed)


def network_fit(
    seen: Binned,
    target: npt.NDArray[np.int8],
    weight: Doubles,
    settings: dict[str, Any],
    recipe: Recipe,
) -> Fit:
    """Return the fit of a network, or of none where there are too few lines for one."""
    if len(target) < recipe.enough:
        return 0.0, lambda: None
    cost = _network_work(len(target), settings)
    return cost, partial(fit_network, seen, target, weight, settings, recipe.seed)


def second_forest_of(recipe: Recipe, lines: float) -> dict[str, Any]:
    """Return the settings of the second stage's forest of content for so many drawn lines."""
    return recipe.second if lines >= recipe.enough else recipe.second_alone


def at_once(groups: Sequence[Sequence[Fit]], tick: Tick) -> list[list[Any]]:
    """Make fits in as many threads as there are processors; return what they give, in groups."""
    fits = [fit for group in groups for fit in group]
    found: list[Any] = [None] * len(fits)

    def make(place: int) -> None:
        cost, fit = fits[place]
        found[place] = fit()
        tick(cost)

    longest_first = sorted(range(len(fits)), key=lambda place: -fits[place][0])
    run = Parallel(n_jobs=-1, backend="threading", batch_size=1)
    with threadpool_limits(limits=1, user_api="blas"):  # so that sums have one order
        run(delayed(make)(place) for place in longest_first)
    results = iter(found)
    return [[next(results) for _ in group] for group in groups]


def stages_work(lines: float, recipe: Recipe) -> float:
    """Return what the fits of both stages on so many lines cost, in pages of feature extraction."""
    forests = recipe.first, recipe.first_headline, second_forest_of(recipe, lines), recipe.headline
    networks = (recipe.first_network, recipe.second_network) if lines >= recipe.enough else ()
    return sum(_forest_work(lines, x) for x in forests) + sum(
        _network_work(lines, x) for x in networks
    )


def _forest_work(lines: float, forest: dict[str, Any]) -> float:
    later = {"max_iter": 0, "tree_features": 0.0, **forest.get("later", {})}
    opening = forest["misses"] * forest["max_iter"] * forest.get("tree_features", 1.0)
    trees = opening + _DOUBTFUL * later["max_iter"] * later["tree_features"]
    return float(_FOREST_COST * lines * trees)


def _network_work(lines: float, network: dict[str, Any]) -> float:
    return float(_FOREST_COST * lines * _EPOCH * network["epochs"])
