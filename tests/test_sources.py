from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier import streams
from classifier.records import BadRecord, Record, SourceError, site_of
from classifier.sources import find_sources, read_records
from classifier.streams import zstandard
from training.bench_scale import write_wet

TEXTS = [f"Page {number}\nÜber den Fluß und in die Wälder {number}" for number in range(300)]


def good(items: Sequence[Record | BadRecord]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def bad(items: Sequence[Record | BadRecord]) -> list[BadRecord]:
    return [item for item in items if isinstance(item, BadRecord)]


def read(path: Path, data: bytes, **options: Any) -> list[Record | BadRecord]:
    path.write_bytes(data)
    return list(read_records([path], **options))


def json_lines(records: Sequence[object]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.fixture
def wet(tmp_path: Path) -> bytes:
    path = tmp_path / "made.warc.wet.gz"
    write_wet(path, TEXTS)
    data = path.read_bytes()
    path.unlink()
    return data


def test_a_folder_gives_its_sources_by_name(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.txt").write_bytes("Über".encode("cp1252"))
    (tmp_path / "a.jsonl").write_bytes(json_lines([{"text": "one"}]))
    (tmp_path / ".hidden.txt").write_text("x")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    items = list(read_records([tmp_path]))
    assert [item.id for item in items] == [f"{tmp_path}/a.jsonl:1", f"{tmp_path}/b/two.txt"]
    assert items[1] == Record(f"{tmp_path}/b/two.txt", b"\xdcber")


@pytest.mark.parametrize("ending", ["warc.wet.gz", "warc.gz", "wet", "data"])
def test_wet_records_with_their_sites(tmp_path: Path, wet: bytes, ending: str) -> None:
    items = read(tmp_path / f"crawl.{ending}", wet if ending != "wet" else gzip.decompress(wet))
    assert [item.text for item in good(items)] == [text.encode() for text in TEXTS]
    assert not bad(items)
    assert items[7] == Record(
        "<urn:uuid:00000007-0000-4000-8000-000000000000>",
        TEXTS[7].encode(),
        "https://www.site7.example/7",
        "site7.example",
        {"date": "2025-01-01T00:00:00Z"},
    )


def packed_size(data: bytes, size: int) -> int:
    """Return the size of the gzip members that unpack to `size` bytes."""
    rest = data
    while size > 0:
        member = zlib.decompressobj(wbits=31)
        size -= len(member.decompress(rest))
        rest = member.unused_data
    return len(data) - len(rest)


@pytest.mark.parametrize("packed", [True, False])
def test_a_wet_file_that_was_cut_gives_the_records_before_the_cut(
    tmp_path: Path, wet: bytes, packed: bool
) -> None:
    plain = gzip.decompress(wet)
    data = plain[: plain.index("Wälder 150".encode())]
    if packed:
        end = len(plain[: plain.index(b"WARC/1.0", plain.index("Wälder 150".encode()))])
        data = wet[: packed_size(wet, end) - 20]
    items = read(tmp_path / "cut.wet", data)
    assert [item.text for item in good(items)] == [text.encode() for text in TEXTS[:150]]
    (error,) = bad(items)
    assert items[-1] == error
    assert error.position == 150
    assert "broken after this place" in error.reason or "ends within one" in error.reason


def test_wet_headers_that_do_not_hold(tmp_path: Path, wet: bytes) -> None:
    plain = gzip.decompress(wet)
    length = f"Content-Length: {len(TEXTS[0].encode())}".encode()
    wrong = plain.replace(length, b"Content-Length: many", 1)
    (first, *_) = bad(read(tmp_path / "a.wet", wrong))
    assert "expected a Content-Length, found 'many'" in first.reason
    (only,) = read(tmp_path / "b.wet", b"Home\nSign in\n")
    assert "expected a WARC record" in bad([only])[0].reason
    (only,) = read(tmp_path / "c.wet", plain[: plain.index(b"WARC/1.0", 9)])  # warcinfo alone
    assert "found none" in bad([only])[0].reason
    wrong = plain.replace(b"https://www.site1.example/1\r", b"https://[\xff\r", 1)
    items = read(tmp_path / "d.wet", wrong)
    assert len(good(items)) == len(TEXTS)
    assert items[1].site is None  # type: ignore[union-attr]


def test_json_lines_keep_the_rest_of_the_record(tmp_path: Path) -> None:
    records = [
        {"id": 7, "raw": "a", "url": "http://a.b.co.uk/", "likes": [1, {"x": None}]},
        {"raw": "b", "metadata": {"url": "https://x.github.io/y"}},
        {"id": "", "raw": "", "site": "own.example", "url": "https://other.example"},
    ]
    items = read(tmp_path / "x.jsonl", json_lines(records), text_field="raw")
    assert items == [
        Record("7", "a", "http://a.b.co.uk/", "b.co.uk",
               {"id": 7, "url": "http://a.b.co.uk/", "likes": [1, {"x": None}]}),
        Record(f"{tmp_path}/x.jsonl:2", "b", "https://x.github.io/y", "x.github.io",
               {"metadata": {"url": "https://x.github.io/y"}}),
        Record(f"{tmp_path}/x.jsonl:3", "", "https://other.example", "own.example",
               {"id": "", "site": "own.example", "url": "https://other.example"}),
    ]  # fmt: skip


def test_json_lines_tell_each_record_that_cannot_be_read(tmp_path: Path) -> None:
    lines = [
        b'{"text": "one"}', b"{broken", b"", b"[1]", b'{"id": "x", "body": "no text"}',
        b'{"text": 3}', b'{"text": "deep", "x": ' + b"[" * 101 + b"]" * 101 + b"}",
        b'{"text": "\xff"}', b"[" * 100_000, b'{"text": "last, no line end"}',
    ]  # fmt: skip
    items = read(tmp_path / "x.jsonl", b"\n".join(lines))
    assert [record.text for record in good(items)] == ["one", "last, no line end"]
    assert [(error.id.rpartition("/")[2], error.position) for error in bad(items)] == [
        ("x.jsonl:2", 2), ("x.jsonl:4", 4), ("x", 5), ("x.jsonl:6", 6), ("x.jsonl:7", 7),
        ("x.jsonl:8", 8), ("x.jsonl:9", 9),
    ]  # fmt: skip
    assert bad(items)[2].reason == "expected a text in the field 'text', found nothing"
    assert bad(items)[3].reason == "expected a text in the field 'text', found int"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard().compress])
def test_packed_json_lines_are_known_by_their_bytes_and_told_when_cut(
    tmp_path: Path, pack: Any
) -> None:
    data = json_lines([{"text": text} for text in TEXTS])
    path = tmp_path / "x.jsonl"
    assert [item.text for item in good(read(path, pack(data)))] == TEXTS
    items = read(path, pack(data[:5000]) + pack(data[5000:])[:-9])
    assert [item.text for item in good(items)] == TEXTS[: len(good(items))]
    assert len(good(items)) >= 5000 // len(data.split(b"\n")[-2]) - 1
    assert "broken after this place" in bad(items)[-1].reason
    assert bad(items) == [items[-1]]


def test_records_have_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from classifier import readers

    monkeypatch.setattr(readers, "MAX_BYTES", 200)
    lines = [{"text": "a"}, {"text": "b" * 1000}, {"text": "c"}]
    items = read(tmp_path / "x.jsonl", json_lines(lines))
    assert [record.text for record in good(items)] == ["a", "c"]
    assert [error.position for error in bad(items)] == [2]
    assert "at most" in bad(read(tmp_path / "x.txt", b"a" * 201))[0].reason
    assert streams.MAX_BYTES == 256 << 20


def test_parquet_rows_come_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    urls = [f"https://www.a{number}.example/" for number in range(len(TEXTS))]
    texts = [*TEXTS[:-1], None]
    pq.write_table(pa.table({"body": texts, "url": urls, "n": range(len(TEXTS))}), path)
    items = list(read_records([path], text_field="body"))
    assert [record.text for record in good(items)] == TEXTS[:-1]
    rest = {"url": urls[3], "n": 3}
    assert items[3] == Record(f"{path}:4", TEXTS[3], urls[3], "a3.example", rest)
    assert bad(items) == [
        BadRecord(f"{path}:300", str(path), 300,
                  "expected a text in the field 'body', found nothing")
    ]  # fmt: skip
    (error,) = bad(list(read_records([path])))
    assert error.reason == "expected a column 'text', found body, url, n"


def test_parquet_that_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": TEXTS}), path, row_group_size=100, use_dictionary=False)
    data = path.read_bytes()
    assert "expected readable Parquet" in bad(read(path, data[:-30]))[0].reason
    start = pq.read_metadata(io.BytesIO(data)).row_group(1).column(0).data_page_offset
    items = read(path, data[:start] + b"\xff" * 60 + data[start + 60 :])
    assert [record.text for record in good(items)] == TEXTS[:100] + TEXTS[200:]
    assert [error.position for error in bad(items)] == [101]
    assert bad(items) == [items[100]]


def test_standard_input_is_known_by_its_first_bytes(wet: bytes) -> None:
    code = (
        "from classifier.sources import read_records\n"
        "for item in read_records(['-']): print(type(item).__name__, item.id)"
    )

    def ids(data: bytes) -> list[str]:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, input=data, capture_output=True, check=True)
        return done.stdout.decode().splitlines()

    assert len(ids(wet)) == len(TEXTS)
    assert ids(b'{"text": "a"}\n{"id": 5, "text": "b"}') == ["Record -:1", "Record 5"]
    assert ids(b"Home\nSign in") == ["Record -"]


def test_sources_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="found nothing; check the path"):
        find_sources([tmp_path / "gone.txt"])
    with pytest.raises(SourceError, match="expected files that end in"):
        find_sources([tmp_path])
    with pytest.raises(SourceError, match="expected a kind out of txt, jsonl, warc, parquet"):
        find_sources(["-"], kind="csv")
    path = tmp_path / "page.txt"
    path.write_text("x")
    sources = find_sources([path])
    path.unlink()
    from classifier.sources import read_source

    (error,) = bad(list(read_source(sources[0])))
    assert error.reason == "expected a readable file, found: No such file or directory"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that makes modules look as if they were not installed."""
    from classifier import records

    records._suffixes.cache_clear()

    def block(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    yield block
    records._suffixes.cache_clear()


def test_a_missing_extra_is_named(tmp_path: Path, wet: bytes, without: Any) -> None:
    without("fastwarc.warc", "pyarrow.parquet", "backports.zstd", "publicsuffixlist")
    files = {
        "a.wet.gz": (wet, "fastwarc"),
        "b.parquet": (b"PAR1", "pyarrow"),
        "c.jsonl.zst": (b"\x28\xb5\x2f\xfd", "backports.zstd"),
        "d.jsonl": (json_lines([{"text": "x", "url": "http://a.example"}]), "publicsuffixlist"),
    }
    for name, (data, module) in files.items():
        with pytest.raises(SourceError) as caught:
            read(tmp_path / name, data)
        assert f"needs {module}; install it with pip install 'linesift[crawl]'" in str(caught.value)
    assert len(good(read(tmp_path / "e.jsonl", json_lines([{"text": "no address"}])))) == 1


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://news.example.co.uk:8443/a?b", "example.co.uk"),
        ("http://user@WWW.Example.COM./", "example.com"),
        ("https://me.github.io/", "me.github.io"),
        ("http://192.168.0.1:80/x", "192.168.0.1"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("http://intranet/", "intranet"),
        ("http://co.uk/", "co.uk"),
        ("http://[broken", None),
        ("mailto:a@b.example", None),
        ("", None),
    ],
)
def test_sites(url: str, site: str | None) -> None:
    assert site_of(url) == site
