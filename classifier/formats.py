"""The formats of output: pages are encoded in the workers and put together in one process."""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .outputs import Fields
from .records import load_extra
from .streams import GZIP_WBITS, fast_zlib, zstandard

__all__ = ["FORMATS", "Format", "Shard", "json_line", "output_format"]

FORMATS = ("jsonl", "jsonl.gz", "jsonl.zst", "parquet", "txt")
"""Names of the formats."""

Row = Mapping[str, Any]

_GZIP_LEVEL = 2  # of isal: as small as level 1 of zlib, in a quarter of the time
_ROW_GROUP_BYTES = 64 << 20


class Shard(Protocol):
    """A file or folder that is being written."""

    def write(self, payload: Any) -> None:
        """Add what :meth:`Format.encode` returned."""

    def close(self) -> None:
        """Finish, so that all is on the disk."""


class Format(Protocol):
    """A format of output."""

    @property
    def ending(self) -> str:
        """End of the names of its shards."""

    def encode(self, rows: Sequence[Row], fields: Fields) -> Any:
        """Return rows as a shard takes them."""

    def shard(self, path: Path) -> Shard:
        """Begin a shard."""


def output_format(name: str) -> Format:
    """Return a format by its name.

    Parameters
    ----------
    name : str
        One of `FORMATS`.

    Returns
    -------
    Format

    Raises
    ------
    SourceError
        If a library is missing that it needs.
    """
    if name == "parquet":
        load_extra("pyarrow.parquet", "crawl", "writing Parquet")
        return _Parquet()
    if name == "jsonl.zst":
        zstandard()
    return _Texts() if name == "txt" else _JsonLines(f".{name}")


@dataclass(frozen=True)
class _JsonLines:
    ending: str

    def encode(self, rows: Sequence[Row], fields: Fields) -> bytes:
        data = b"".join(json_line(row) + b"\n" for row in rows)
        packed = data
        if self.ending.endswith(".gz"):  # members and frames one after another are one file
            packed = fast_zlib().compress(data, _GZIP_LEVEL, wbits=GZIP_WBITS)
        elif self.ending.endswith(".zst"):
            packed = zstandard().compress(data)
        return packed

    def shard(self, path: Path) -> Shard:
        return _FileShard(path)


def json_line(row: Row) -> bytes:
    """Return a row as JSON in UTF-8, without a line end."""
    try:
        text = json.dumps(row, ensure_ascii=False, default=_plain, allow_nan=False)
        return text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair has a form in JSON, but none in UTF-8
        return json.dumps(row, default=_plain, allow_nan=False).encode("ascii")
    except ValueError:  # JSON knows no NaN
        return json_line({key: _finite(value) for key, value in row.items()})


def _plain(value: object) -> str:
    """Return what JSON has no type for, out of Parquet, as a string."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


class _FileShard:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, payload: bytes) -> None:
        self._file.write(payload)

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


@dataclass(frozen=True)
class _Texts:
    ending: str = ""

    def encode(self, rows: Sequence[Row], fields: Fields) -> list[tuple[str, bytes]]:
        return [(str(row["id"]), _unicode(row[fields.text]).encode("utf-8")) for row in rows]

    def shard(self, path: Path) -> Shard:
        return _TextShard(path)


class _TextShard:
    """A folder of texts, named by their place and as much of their id as is safe in a name."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self._path = path
        self._count = 0

    def write(self, payload: Iterable[tuple[str, bytes]]) -> None:
        for ident, data in payload:
            safe = re.sub(r"[^A-Za-z0-9._-]+", "_", ident.removesuffix(".txt"))[-80:]
            (self._path / f"{self._count:06d}-{safe}.txt").write_bytes(data)
            self._count += 1

    def close(self) -> None:
        os.sync()  # one call, where each file's own would take far longer


@dataclass(frozen=True)
class _Parquet:
    ending: str = ".parquet"

    def encode(self, rows: Sequence[Row], fields: Fields) -> Any:
        pa = load_extra("pyarrow", "crawl", "writing Parquet")
        schema = _schema(pa, fields)
        columns = [_columns(row, schema.names) for row in rows]
        return pa.RecordBatch.from_pylist(columns, schema)

    def shard(self, path: Path) -> Shard:
        return _ParquetShard(path)


def _schema(pa: Any, fields: Fields) -> Any:
    """Return the columns, the same for all shards whatever the records hold."""
    names = ["id", "url", "site", *(["labels"] if fields.labels else [])]
    columns = {name: pa.string() for name in names} | {fields.text: pa.large_string()}
    if fields.probabilities:
        columns["content_probability"] = pa.list_(pa.float64())
    if fields.spans:
        parts = {"label": pa.string(), "start": pa.int64(), "stop": pa.int64()}
        columns["spans"] = pa.list_(pa.struct(parts))
    return pa.schema(columns | {"rest": pa.large_string()})


def _columns(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """Return a row by columns; ``rest`` is JSON of the fields that have no column."""
    found = {key: _unicode(x) if isinstance(x, str) else x for key, x in row.items()}
    for key in ("id", "url", "site"):
        if not isinstance(found.get(key), str | None):
            found[key] = str(found[key])
    if "spans" in names:
        spans = found["spans"]
        found["spans"] = [dict(zip(("label", "start", "stop"), x, strict=True)) for x in spans]
    rest = {key: value for key, value in row.items() if key not in names or key == "rest"}
    return found | {"rest": json_line(rest).decode("utf-8") if rest else None}


class _ParquetShard:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._waiting: list[Any] = []
        self._writer: Any = None

    def write(self, payload: Any) -> None:
        self._waiting.append(payload)
        if sum(batch.nbytes for batch in self._waiting) > _ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Write what waits as one row group."""
        import pyarrow as pa
        import pyarrow.parquet as parquet

        table = pa.Table.from_batches(self._waiting)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._file, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._waiting = []

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()
        os.fsync(self._file.fileno())
        self._file.close()


def _unicode(text: str) -> str:
    """Return a text with U+FFFD in place of half surrogate pairs, which have no form in UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
