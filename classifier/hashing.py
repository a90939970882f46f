"""Arithmetic of hashes, modulo 2**64."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["UInts", "finalize", "powers"]

UInts = npt.NDArray[np.uint64]


@lru_cache(maxsize=16)
def powers(base: int, size: int) -> UInts:
    """Return the powers 0 to `size` - 1 of an odd number modulo 2**64, read-only."""
    table = np.empty(size, dtype=np.uint64)
    table[0] = 1
    done = 1
    while done < size:
        more = min(done, size - done)
        table[done : done + more] = table[:more] * np.uint64(pow(base, done, 1 << 64))
        done += more
    table.flags.writeable = False
    return table


def finalize(value: UInts) -> UInts:
    """Spread a hash over all its bits (the last steps of SplitMix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
