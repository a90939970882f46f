"""Arithmetic of hashes, modulo 2**64."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

__all__ = ["UInts", "finalize", "name_hash", "powers"]

UInts = npt.NDArray[np.uint64]


def name_hash(name: str) -> int:
    """Return a number below 2**64 that is the same for a name in every process."""
    return int.from_bytes(blake2b(name.encode("utf-8"), digest_size=8).digest(), "big")


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
