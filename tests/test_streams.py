from __future__ import annotations

import gzip
import io
import sys

import numpy as np
import pytest

from classifier.streams import OpenFile


@pytest.mark.parametrize("fast", [True, False])
def test_gzip_members_give_every_byte_before_a_break(
    monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    if not fast:  # as without the extra
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    rng = np.random.default_rng(0)
    parts = [rng.bytes(n) for n in (0, 1, 3000, 70_000)]
    whole = b"".join(parts)
    for padding in (b"", bytes(9), bytes(70_000)):
        packed = b"".join(gzip.compress(part) + padding for part in parts)
        file = OpenFile("x", io.BytesIO(packed))
        assert (file.stream.read(), file.problem) == (whole, None)
    for lost in (1, 8, 500, 60_000):
        file = OpenFile("x", io.BytesIO(packed[: -lost - len(padding)]))
        found = file.stream.read()
        assert whole.startswith(found)
        assert len(found) >= len(whole) - lost
        assert file.problem == "the end of its gzip data is missing"
    file = OpenFile("x", io.BytesIO(packed + b"letter"))
    assert file.stream.read() == whole
    assert file.problem is not None
