"""The neural networks, as scikit-learn trains them on binned rows, and in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neural_network import MLPClassifier

from classifier.counting import Floats
from classifier.network import EXACT, HIDDEN_TOP, INPUT_TOP, Layer, Network
from training.binning import Binned
from training.export import one_sided

__all__ = ["constant_network", "fit_network"]

Doubles = npt.NDArray[np.float64]

_WIDEST = 4.0  # a value counts up to so many standard deviations from the mean
_UNIT = 31.0  # whole numbers to a standard deviation: 4 of them lie within INPUT_TOP
_LEAST = 1e-5  # a deviation below this share of the largest value is none
_BATCH = 1024  # rows of a step
_PART = 32 * _BATCH  # rows that scikit-learn takes at once: it looks at them for longer than a step
_HEAVIEST = 20.0  # a line weighs up to so many times the mean, so that none decides a step
_SAMPLE = 20_000  # lines that tell how far a hidden unit's values go
_RARE = 1e-4  # share of a hidden unit's values that may be cut off


@dataclass(frozen=True, eq=False)
class _Scale:
    """Where each feature's values begin and end, their mean and deviation, and what bins become.

    `table` has, for each feature and each of its bins, the standardised value in units of
    ``1 / _UNIT``, shape (n_features, 256).
    """

    low: Doubles
    high: Doubles
    mean: Doubles
    deviation: Doubles
    table: Floats

    def rows(self, codes: npt.NDArray[np.uint8]) -> Floats:
        """Return the standardised values of binned rows, shape (n_rows, n_features)."""
        values: Floats = self.table[np.arange(codes.shape[1]), codes]
        return values


def _scaled(rows: Binned, known: npt.NDArray[np.intp]) -> _Scale:
    """Standardise the bins of each feature by the rows that are learned from."""
    count = len(rows.edges)
    low, high, mean, deviation = np.zeros((4, count))
    table = np.zeros((count, 256), dtype=np.float32)
    for place, values in enumerate(rows.means):
        share = np.bincount(rows.codes[known, place], minlength=len(values)) / len(known)
        mean[place] = values @ share
        deviation[place] = np.sqrt((values - mean[place]) ** 2 @ share)
        deviation[place] *= deviation[place] > _LEAST * np.abs(values).max()
        spread = _WIDEST * deviation[place]
        low[place], high[place] = values[[0, -1]].clip(mean[place] - spread, mean[place] + spread)
        steps = (values.clip(low[place], high[place]) - mean[place]) * _per(deviation[place])
        table[place, : len(values)] = np.rint(steps * _UNIT) / _UNIT
    return _Scale(low, high, mean, deviation, table)


def _per(deviation: Any) -> Any:
    """Return one over the deviation, and 0 where there is none."""
    return np.where(deviation > 0, 1.0 / np.where(deviation > 0, deviation, 1.0), 0.0)


def fit_network(
    rows: Binned,
    target: npt.NDArray[np.int8],
    weight: npt.NDArray[np.float64],
    settings: dict[str, Any],
    seed: int,
) -> Network:
    """Fit a network on rows whose target is known.

    A share of the features is hidden from each row, another one each time ("dropout", Srivastava
    et al. 2014), so that the network leans on no single one.

    Parameters
    ----------
    rows : Binned
        Of n_rows rows.
    target : ndarray of int8, shape (n_rows,)
        1, 0, or -1 where it is not known.
    weight : ndarray of float64, shape (n_rows,)
    settings : dict
        `units` of the hidden layers, `epochs`, but at least as many as make `steps`, the `rate` of
        the first step, which falls to 0, and the share of `hidden` features.
    seed : int

    Returns
    -------
    Network
    """
    known = np.flatnonzero((target >= 0) & (weight > 0))
    if (score := one_sided(target[known] == 1)) is not None:
        return constant_network(len(rows.edges), score)
    scale = _scaled(rows, known)
    heavy = np.minimum(weight[known] / weight[known].mean(), _HEAVIEST).astype(np.float32)
    size = min(_BATCH, len(known) // (1 + len(known) // _PART))
    learner = MLPClassifier(
        settings["units"],
        batch_size=size,
        learning_rate_init=settings["rate"],
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    for own, rate in _parts(len(known), settings, rng):
        values = scale.rows(rows.codes[known[own]])
        values *= rng.random(values.shape, dtype=np.float32) >= settings["hidden"]
        if hasattr(learner, "_optimizer"):  # scikit-learn has no schedule for Adam
            learner._optimizer.learning_rate_init = rate
        learner.partial_fit(values, target[known[own]], classes=[0, 1], sample_weight=heavy[own])
    some = rng.choice(known, min(_SAMPLE, len(known)), replace=False)
    return _whole(learner, scale, scale.rows(rows.codes[some]))


def _parts(
    count: int, settings: dict[str, Any], rng: np.random.Generator
) -> Iterator[tuple[npt.NDArray[np.intp], float]]:
    """Yield rows of several steps, and their rate; all rows once in each epoch."""
    epochs = max(settings["epochs"], -(-settings["steps"] * _BATCH // count))
    each = -(-count // _PART)
    for epoch in range(epochs):
        for part, own in enumerate(np.array_split(rng.permutation(count), each)):
            done = (epoch + part / each) / epochs
            yield own, float(settings["rate"] * (0.5 + 0.5 * np.cos(np.pi * done)))


def _whole(learner: MLPClassifier, scale: _Scale, sample: Floats) -> Network:
    """Return a fitted network in whole numbers; the sample tells how far hidden values go."""
    gain = _UNIT * _per(scale.deviation)
    given, unit = sample.astype(np.float64), np.full(sample.shape[1], _UNIT)
    top, layers = INPUT_TOP, []
    pairs = list(zip(learner.coefs_, learner.intercepts_, strict=True))
    for number, (weights, bias) in enumerate(pairs):
        given = np.maximum(given @ weights + bias, 0.0)
        reach = np.maximum(np.quantile(given, 1 - _RARE, axis=0), 1e-3)
        out = np.ones(1) if number == len(pairs) - 1 else HIDDEN_TOP / reach
        layers.append(_layer((weights / unit[:, None]).T, bias, out, top))
        unit, top = out, HIDDEN_TOP
    low, high, gain, offset = (
        row.astype(np.float32) for row in (scale.low, scale.high, gain, -scale.mean * gain)
    )
    network = Network(low, high, gain, offset, tuple(layers))
    network.validate(len(scale.low))
    return network


def _layer(weights: Doubles, bias: Doubles, out: Doubles, top: int) -> Layer:
    """Return a layer of weights for whole numbers; a unit's value becomes `out` times as large."""
    size = np.maximum(np.abs(weights).sum(axis=1), 1e-12)
    most = np.maximum(np.abs(weights).max(axis=1), 1e-12)
    # rounding adds half a number for each weight at most
    room = EXACT / top - weights.shape[1]
    finer = np.minimum(room / size, np.iinfo(np.int16).max / most)
    numbers = np.rint(weights * finer[:, None]).astype(np.int16)
    return Layer(numbers, (out / finer).astype(np.float32), (bias * out).astype(np.float32))


def constant_network(n_features: int, score: float) -> Network:
    """Return a network that gives every line the same score.

    Parameters
    ----------
    n_features : int
    score : float
        Log odds.

    Returns
    -------
    Network
    """
    none = np.zeros(n_features, dtype=np.float32)
    one = np.zeros(1, dtype=np.float32)
    first, second = (Layer(np.zeros((1, n), dtype=np.int16), one, one) for n in (n_features, 1))
    last = Layer(second.weights, one, np.full(1, score, dtype=np.float32))
    return Network(none, none, none, none, (first, second, last))
