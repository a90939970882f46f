"""Files of plain arrays: no pickle, the same bytes for the same arrays, replaced whole."""

from __future__ import annotations

import os
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Arrays", "pack_arrays", "replace_file", "unpack_arrays"]

Arrays = dict[str, npt.NDArray[Any]]


def pack_arrays(arrays: Arrays, *, deflate: bool = True) -> bytes:
    """Return an npz whose bytes depend on nothing but the arrays."""
    packed, method = BytesIO(), zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            member = BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, member.getvalue())
    return packed.getvalue()


def unpack_arrays(packed: bytes, limit: int) -> Arrays:
    """Return the arrays of an npz.

    Parameters
    ----------
    packed : bytes
    limit : int
        Refuse arrays of more bytes than this in all, before they are unpacked.

    Raises
    ------
    ValueError
        If they are larger; what is no npz of plain arrays raises what NumPy and zipfile raise.
    """
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > limit:
        raise ValueError(f"expected arrays of at most {limit >> 20} MiB, found {size >> 20}")
    with np.load(BytesIO(packed), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that no reader sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
