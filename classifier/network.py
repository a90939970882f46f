"""A small neural network in whole numbers: the same scores on every machine, bit for bit.

In which order a product of matrices is summed up depends on their shapes, the processor and the
library, and so do its last bits. Sums of whole numbers below 2**24 are exact in float32 in any
order. So a line's features become whole numbers, weights are whole numbers, and what a hidden
unit gives is rounded to one again (Jacob et al. 2018, "Quantization and training of neural
networks for efficient integer-arithmetic-only inference").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .trees import Doubles, Floats, Ints

__all__ = ["DOUBT", "SHARE", "Layer", "Network"]

SHARE = 0.4
"""Share of a network in the log odds of a stage; the rest is the forest's. Their errors differ."""

DOUBT = 4.0
"""A network is asked only of lines to which the forest gives log odds nearer to 0 than this."""

INPUT_TOP, HIDDEN_TOP = 127, 1023
"""The largest number that a feature, and a hidden unit, may become."""

EXACT = 1 << 24
"""Whole numbers below are exact in float32."""

_CHUNK = 256
"""Lines at once, so that their features stay in the cache."""

_LINES = 64
"""Lines come in so many at a time, or fewer of them for a product of one thread."""

_ALONE = 1 << 18
"""Products of matrices up to this size are one thread's work in OpenBLAS."""

_LAYERS = 3
_ROWS, _PARTS = ("low", "high", "gain", "offset"), ("weights", "gain", "offset")


@dataclass(frozen=True, eq=False)
class Layer:
    """What the units of a layer make of the numbers below them.

    Attributes
    ----------
    weights : ndarray of int16, shape (n_units, n_below)
    gain, offset : ndarray of float32, shape (n_units,)
        A unit's sum times `gain` plus `offset` is what it gives.
    """

    weights: npt.NDArray[np.int16]
    gain: Floats
    offset: Floats

    @cached_property
    def _floats(self) -> Floats:
        return self.weights.astype(np.float32)

    @cached_property
    def _together(self) -> int:
        """Lines of which the product is one thread's work, a power of two."""
        return min(_LINES, 1 << max(0, (_ALONE // self.weights.size).bit_length() - 1))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was reckoned for use, so that a used layer is the same as a new one."""
        return {name: getattr(self, name) for name in _PARTS}

    def values(self, below: Floats) -> Floats:
        """Return what the units give for the numbers below, shape (n_units, n_lines).

        The number of lines is a multiple of `_LINES`.
        """
        given = np.empty((len(self.weights), below.shape[1]), dtype=np.float32)
        parts, sums = (x.reshape(len(x), -1, self._together).swapaxes(0, 1) for x in (below, given))
        np.matmul(self._floats, parts, out=sums)
        given *= self.gain[:, None]
        given += self.offset[:, None]
        return given

    def validate(self, n_below: int, top: int) -> None:
        """Check that the layer's sums are exact for numbers up to `top`.

        Raises
        ------
        ValueError
            Says in one sentence what does not hold.
        """
        count = len(self.weights)
        if self.weights.dtype != np.int16 or self.weights.shape != (count, n_below) or not count:
            raise ValueError(f"expected weights of a network as int16, {n_below} for each unit")
        for row in (self.gain, self.offset):
            if row.dtype != np.float32 or row.shape != (count,) or not np.isfinite(row).all():
                raise ValueError("expected a finite float32 for each unit of a network")
        if np.abs(self.weights.astype(np.int64)).sum(axis=1).max() * top >= EXACT:
            raise ValueError("expected weights of a network whose sums are exact")


@dataclass(frozen=True, eq=False)
class Network:
    """A network of two hidden layers of rectified units, and one unit that gives the score.

    Attributes
    ----------
    low, high : ndarray of float32, shape (n_features,)
        Values are clipped to these.
    gain, offset : ndarray of float32, shape (n_features,)
        A value times `gain` plus `offset`, rounded, is the number that the network sees; 0 stands
        for the mean.
    layers : tuple of Layer
        From the features to the score.
    """

    low: Floats
    high: Floats
    gain: Floats
    offset: Floats
    layers: tuple[Layer, ...]

    def scores(self, *blocks: Floats, lines: Ints | None = None) -> Doubles:
        """Return the score of each line.

        Parameters
        ----------
        *blocks : ndarray of float32, shape (n_features, n_lines)
            The features; several blocks stand for one, in which their rows follow one another.
        lines : ndarray of intp, optional
            The lines that are asked for; by default all of them.

        Returns
        -------
        ndarray of float64, shape (n_lines,)
            Log odds. A line's score does not depend on the lines beside it, bit for bit.
        """
        lines = np.arange(blocks[0].shape[1]) if lines is None else lines
        scores = np.empty(len(lines))
        for start in range(0, len(lines), _CHUNK):
            stop = min(start + _CHUNK, len(lines))
            given = self._whole(blocks, lines[start:stop])
            for layer in self.layers[:-1]:
                given = layer.values(given).clip(0, HIDDEN_TOP)
                np.rint(given, out=given)
            scores[start:stop] = self.layers[-1].values(given)[0, : stop - start]
        return scores

    def _whole(self, blocks: Sequence[Floats], lines: Ints) -> Floats:
        """Return the features of lines as whole numbers; the last line comes again to fill up."""
        lines = np.append(lines, lines[-1:].repeat(-len(lines) % _LINES))
        values = np.empty((len(self.low), len(lines)), dtype=np.float32)
        first = 0
        for block in blocks:
            rows = values[first : first + len(block)]
            block.take(lines, axis=1, out=rows, mode="clip")  # any other mode copies once more
            first += len(block)
        np.maximum(values, self.low[:, None], out=values)
        np.minimum(values, self.high[:, None], out=values)
        values *= self.gain[:, None]
        values += self.offset[:, None]
        return np.rint(values, out=values)

    def pushes(self, values: Floats) -> Doubles:
        """Return how far each feature of a line moves the score from that of a mean line.

        The score's slope is taken at points on the straight way from the mean to the line
        (Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks").

        Parameters
        ----------
        values : ndarray of float32, shape (n_features,)

        Returns
        -------
        ndarray of float64, shape (n_features,)
            Their sum is about the difference of the two scores.
        """
        line = self._whole([values[:, None]], np.zeros(1, dtype=np.intp))[:, 0].astype(np.float64)
        given, slopes = np.outer(line, (np.arange(_LINES) + 0.5) / _LINES).astype(np.float32), []
        for layer in self.layers[:-1]:
            given = layer.values(given)
            slopes.append(((given > 0) & (given < HIDDEN_TOP)) * layer.gain[:, None])
            given = given.clip(0, HIDDEN_TOP)
        last = self.layers[-1]
        slope = np.outer(last.weights[0] * np.float64(last.gain[0]), np.ones(_LINES))
        for layer, own in zip(self.layers[-2::-1], slopes[::-1], strict=True):
            slope = layer.weights.T @ (slope * own)
        pushes: Doubles = line * slope.mean(axis=1)
        return pushes

    def validate(self, n_features: int) -> None:
        """Check that the arrays are a network of `n_features` features whose sums are exact.

        Raises
        ------
        ValueError
            Says in one sentence what does not hold.
        """
        for row in (self.low, self.high, self.gain, self.offset):
            if row.dtype != np.float32 or row.shape != (n_features,) or not np.isfinite(row).all():
                raise ValueError(f"expected finite float32 for {n_features} features of a network")
        with np.errstate(over="ignore"):
            ends = np.abs(np.stack([self.low, self.high]) * self.gain + self.offset)
        if (self.low > self.high).any() or not ends.max() <= INPUT_TOP:
            raise ValueError(f"expected features of a network from -{INPUT_TOP} to {INPUT_TOP}")
        below, top = n_features, INPUT_TOP
        for layer in self.layers:
            layer.validate(below, top)
            below, top = len(layer.weights), HIDDEN_TOP
        if below != 1:
            raise ValueError(f"expected one unit at the top of a network; found {below}")

    def to_arrays(self, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
        """Return the network as named arrays, to be saved; the inverse of `from_arrays`."""
        arrays = {f"{prefix}{name}": getattr(self, name) for name in _ROWS}
        for number, layer in enumerate(self.layers):
            arrays |= {f"{prefix}{name}{number}": getattr(layer, name) for name in _PARTS}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str = "") -> Network:
        """Take a network out of named arrays; `validate` says whether they hold.

        Raises
        ------
        KeyError
            If an array is missing.
        """
        layers = [[arrays[f"{prefix}{x}{number}"] for x in _PARTS] for number in range(_LAYERS)]
        rows: dict[str, Any] = {name: arrays[prefix + name] for name in _ROWS}
        return cls(**rows, layers=tuple(Layer(*parts) for parts in layers))
