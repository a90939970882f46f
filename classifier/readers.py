"""Readers of single files: a text, JSON Lines, WARC conversion records, Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .records import BadRecord, Record, SourceError, load_extra, site_of
from .streams import MAX_BYTES, OpenFile

__all__ = ["READERS", "read_jsonl", "read_parquet", "read_text", "read_warc", "sniff"]

Items = Iterator[Record | BadRecord]

_MIB = MAX_BYTES >> 20
_MAX_DEPTH = 100
_ROWS = 256
_UNREADABLE = "expected readable Parquet, found: "
_NO_CONVERSIONS = "expected conversion records, as WET files have them; found none"


def sniff(file: OpenFile) -> str:
    """Return the kind of a file by its first bytes; a text where nothing else fits."""
    head = file.stream.peek(16)[:16].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        return "parquet"
    return "warc" if head.startswith(b"WARC/") else "jsonl" if head.startswith(b"{") else "txt"


def read_text(file: OpenFile, field: str) -> Items:
    """Yield the one record of a text; its id is the name."""
    name = file.name
    data = file.stream.read(MAX_BYTES + 1)
    if file.problem:
        yield _cut(file, 0)
    elif len(data) > MAX_BYTES:
        yield BadRecord(name, name, 0, f"expected a text of at most {_MIB} MiB")
    else:
        yield Record(name, data)


def read_jsonl(file: OpenFile, field: str) -> Items:
    """Yield the records of JSON Lines; blank lines count, but are no records.

    Parameters
    ----------
    file : OpenFile
    field : str
        Name of the field that holds the text.

    Yields
    ------
    Record or BadRecord
    """
    name, stream = file.name, file.stream
    number = 0
    while line := stream.readline(MAX_BYTES):
        number += 1
        if len(line) == MAX_BYTES and not line.endswith(b"\n"):
            while (more := stream.readline(MAX_BYTES)) and not more.endswith(b"\n"):
                pass
            reason = f"expected a line of at most {_MIB} MiB"
            yield BadRecord(f"{name}:{number}", name, number, reason)
        elif file.problem and not line.endswith(b"\n"):
            break  # the beginning of a line whose end is lost
        elif line.strip():
            yield _json_record(line, name, number, field)
    if file.problem:
        yield _cut(file, number)


def _json_record(line: bytes, name: str, number: int, field: str) -> Record | BadRecord:
    place = f"{name}:{number}"
    try:
        found = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return BadRecord(place, name, number, f"expected JSON, found: {error}")
    if not isinstance(found, dict):
        reason = f"expected a JSON object, found {type(found).__name__}"
        return BadRecord(place, name, number, reason)
    if line.count(b"[") + line.count(b"{") > _MAX_DEPTH and _deeper(found, _MAX_DEPTH):
        # what is nested deeper may not pass to another process, or to the output
        reason = f"expected JSON nested {_MAX_DEPTH} deep at most"
        return BadRecord(place, name, number, reason)
    return _record(found, place, name, number, field)


def _deeper(value: Any, limit: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(_deeper(item, limit - 1) for item in inside)


def _record(
    found: dict[str, Any], place: str, name: str, number: int, field: str
) -> Record | BadRecord:
    """Return the record of named fields."""
    text = found.pop(field, None)
    own = found.get("id")
    ident = str(own) if isinstance(own, str | int) and own != "" else place
    if not isinstance(text, str | bytes):
        reason = f"expected a text in the field {field!r}, found " + (
            "nothing" if text is None else type(text).__name__
        )
        return BadRecord(ident, name, number, reason)
    inner = found.get("metadata")
    url = found.get("url") or (inner.get("url") if isinstance(inner, dict) else None)
    url = url if isinstance(url, str) else None
    site = found.get("site")
    if not isinstance(site, str) or not site:
        site = site_of(url) if url else None
    return Record(ident, text, url, site, found)


def read_warc(file: OpenFile, field: str) -> Items:
    """Yield the conversion records of a WARC file, as WET files have them.

    Parameters
    ----------
    file, field
        As for :func:`read_jsonl`; the field's name plays no part.

    Yields
    ------
    Record or BadRecord
        `rest` has ``date`` and ``languages`` where the record tells them.
    """
    warc = load_extra("fastwarc.warc", "crawl", f"reading {file.name}")
    name, number, problem = file.name, 0, ""
    kind = warc.WarcRecordType.conversion
    try:
        for found in warc.ArchiveIterator(file.stream, record_types=kind, parse_http=False):
            item = _warc_record(found, name, number + 1)
            if item is None:
                problem = "expected whole records; the file ends within one"
                break
            number += 1
            yield item
    except (OSError, ValueError) as error:
        problem = f"expected a WARC record, found: {error}"
    if file.problem:
        yield _cut(file, number)
    elif problem or not number:
        yield BadRecord(name, name, number, problem or _NO_CONVERSIONS)


def _warc_record(found: Any, name: str, number: int) -> Record | BadRecord | None:
    """Return a record, or None if the file ends within it."""
    ident, headers = found.record_id or f"{name}:{number}", found.headers
    length = headers.get("Content-Length", "")
    if not length.strip().isdecimal():
        return BadRecord(ident, name, number, f"expected a Content-Length, found {length!r:.40}")
    if found.content_length > MAX_BYTES:
        return BadRecord(ident, name, number, f"expected a record of at most {_MIB} MiB")
    text = found.reader.read()
    if len(text) != found.content_length:
        return None
    names = (("date", "WARC-Date"), ("languages", "WARC-Identified-Content-Language"))
    rest = {key: headers[header] for key, header in names if header in headers}
    url = headers.get("WARC-Target-URI")
    return Record(ident, text, url, site_of(url) if url else None, rest)


def read_parquet(file: OpenFile, field: str) -> Items:
    """Yield the rows of a Parquet file, a few hundred at a time.

    Parameters
    ----------
    file, field
        As for :func:`read_jsonl`; the field is a column of strings or bytes.

    Yields
    ------
    Record or BadRecord

    Raises
    ------
    SourceError
        If pyarrow is not installed, or the file is a pipe.
    """
    name = file.name
    parquet = load_extra("pyarrow.parquet", "crawl", f"reading {name}")
    if not file.raw.seekable():
        raise SourceError(f"{name}: Parquet cannot be read from a pipe; name the file")
    try:
        table = parquet.ParquetFile(file.raw)
    except (OSError, ValueError) as error:
        yield BadRecord(name, name, 0, _UNREADABLE + _first_line(error))
        return
    if field not in table.schema_arrow.names:
        names = ", ".join(table.schema_arrow.names)
        yield BadRecord(name, name, 0, f"expected a column {field!r}, found {names}")
        return
    before = 0
    for group in range(table.num_row_groups):
        yield from _row_group(table, group, before, name, field)
        before += table.metadata.row_group(group).num_rows


def _row_group(table: Any, group: int, number: int, name: str, field: str) -> Items:
    """Yield the rows of a group as far as they can be read; `number` rows come before."""
    try:
        for batch in table.iter_batches(batch_size=_ROWS, row_groups=[group]):
            for row in batch.to_pylist():
                number += 1
                yield _record(row, f"{name}:{number}", name, number, field)
    except (OSError, ValueError, NotImplementedError) as error:
        reason = f"{_UNREADABLE}{_first_line(error)}; the rest of its row group is left out"
        yield BadRecord(f"{name}:{number + 1}", name, number + 1, reason)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _cut(file: OpenFile, number: int) -> BadRecord:
    reason = f"expected a whole file, found it broken after this place: {file.problem}"
    return BadRecord(file.name, file.name, number, reason)


READERS = {
    "txt": read_text,
    "jsonl": read_jsonl,
    "warc": read_warc,
    "parquet": read_parquet,
}
"""Reader of each kind of source."""
