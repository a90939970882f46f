"""From counts to features: logarithms, shares, and sums that do not depend on their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["UNIT", "Floats", "Rows", "Sums", "accumulated", "fixed", "log_count", "share"]

Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.int64]
Rows = dict[str, npt.NDArray[Any]]

_LOG = np.log1p(np.arange(1 << 16, dtype=np.float64))

UNIT = 4096.0
"""Denominator of the numbers in fixed point."""


def log_count(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the natural log of 1 + each count, off a table (counts beyond it are cut)."""
    logs: npt.NDArray[np.float64] = _LOG.take(np.asarray(counts), mode="clip")
    return logs


def share(part: npt.ArrayLike, whole: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return part / whole, with 0 where the whole is 0."""
    return np.asarray(part) / np.maximum(whole, 1)


def fixed(values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return values as multiples of 1/4096, so that sums do not depend on their order."""
    return np.rint(np.asarray(values, dtype=np.float64) * UNIT).astype(np.int64)


def accumulated(values: npt.ArrayLike) -> Sums:
    """Return the sums of whole numbers before each place and, last, of all of them."""
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
