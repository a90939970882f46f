import re
import tracemalloc
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.page import read_page

# Surrogates too, and plenty of what splits lines for str.splitlines but must not here.
texts = st.text(
    st.one_of(st.sampled_from("\n\r\n\r\x0b\x0c\x1c\x85\u2028 a"), st.characters(codec=None))
)


def test_lines_ends_and_offsets_by_hand() -> None:
    page = read_page("ab\r\n\rc\n\nd\r")
    assert page.lines == ("ab", "", "c", "", "d", "")
    assert page.ends == ("\r\n", "\r", "\n", "\n", "\r", "")
    assert page.offsets.tolist() == [0, 4, 5, 7, 8, 10]
    assert page.offsets.dtype == np.int64
    assert len(page) == 6
    assert list(page) == list(page.lines)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_kind_of_line_end_alone(end: str) -> None:
    page = read_page(f"a{end}{end}b{end}")
    assert page.lines == ("a", "", "b", "")
    assert page.ends == (end, end, end, "")


@pytest.mark.parametrize("dump", ["", b""])
def test_an_empty_dump_is_one_empty_line(dump: str | bytes) -> None:
    page = read_page(dump)
    assert (page.text, page.lines, page.ends) == ("", ("",), ("",))
    assert page.offsets.tolist() == [0]


@pytest.mark.parametrize(
    "char", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_other_separators_split_nothing(char: str) -> None:
    assert read_page(f"a{char}b").lines == (f"a{char}b",)


@given(texts)
def test_lines_and_ends_give_the_text_back(text: str) -> None:
    page = read_page(text)
    assert page.text == text
    assert "".join(map(str.__add__, page.lines, page.ends)) == text
    assert len(page) == len(re.findall(r"\r\n|\r|\n", text)) + 1
    assert not any("\n" in line or "\r" in line for line in page)
    for line, start in zip(page, page.offsets, strict=True):
        assert text[start : start + len(line)] == line


@given(st.text())
def test_utf8_bytes_are_read_as_their_text(text: str) -> None:
    if text.startswith("\ufeff"):
        text = text[1:]
    assert read_page(b"\xef\xbb\xbf" + text.encode()).text == text
    if not text.startswith("\ufeff"):
        assert read_page(text.encode()).text == text


@given(st.binary())
def test_any_bytes_are_read_and_always_the_same(data: bytes) -> None:
    page = read_page(data)
    assert read_page(data) == page
    assert "".join(map(str.__add__, page.lines, page.ends)) == page.text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding_and_is_dropped(encoding: str) -> None:
    assert read_page("Größe\r\n語\0".encode(encoding)).text == "Größe\r\n語\0"


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-32-be"])
def test_a_big_endian_byte_order_mark(encoding: str) -> None:
    assert read_page("\ufeffGröße 語".encode(encoding)).text == "Größe 語"


def test_only_one_mark_is_dropped_and_none_from_str() -> None:
    assert read_page("\ufeff\ufeffa".encode()).text == "\ufeffa"
    assert read_page("\ufeffa").text == "\ufeffa"


def test_a_text_cut_inside_a_character_keeps_its_encoding() -> None:
    assert read_page("\ufeffGröße".encode("utf-16-le")[:-1]).text == "Größ\ufffd"
    assert read_page("Größe – 語".encode()[:-1]).text == "Größe – \ufffd"


def test_a_few_broken_bytes_become_replacement_characters() -> None:
    data = "Die Größe \xff der Maße".encode().replace("\xff".encode(), b"\xff")
    assert read_page(data).text == "Die Größe \ufffd der Maße"


def test_replacement_characters_of_the_page_itself_are_no_broken_bytes() -> None:
    assert read_page("\ufffd\ufffd\ufffd é".encode() + b"\xff").text == "\ufffd\ufffd\ufffd é\ufffd"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin-1", "café"),
        ("cp1252", "Die Größe der „Übersicht“ – für größere Städte"),
        ("latin-1", "Mañana el niño verá al señor en la montaña española."),
        ("cp1251", "Привет, это новости дня в нашем городе"),
        ("koi8_r", "Привет, это новости дня в нашем городе"),
        ("cp932", "日本語のページです。きょうのニュースをお伝えします。"),
        ("euc_jp", "日本語のページです。きょうのニュースをお伝えします。"),
        ("gb18030", "这是一个中文网页，今天的新闻在这里。"),
        ("cp949", "오늘의 뉴스를 전해 드리는 한국어 페이지입니다."),
    ],
)
def test_legacy_encodings_are_guessed(encoding: str, text: str) -> None:
    assert read_page(text.encode(encoding)).text == text


def test_the_encoding_is_guessed_where_the_first_odd_byte_stands() -> None:
    tail = "Привет, это новости дня в нашем городе"
    text = "Menu and nothing but ASCII. " * 20_000 + tail
    assert read_page(text.encode("cp1251")).text == text


def test_bytes_that_windows_1252_leaves_open_survive() -> None:
    data = "Die Größe der Übersicht für größere Städte ".encode("cp1252") + b"\x81\0\x1b"
    assert read_page(data).text == "Die Größe der Übersicht für größere Städte \x81\0\x1b"


@pytest.mark.parametrize("dump", ["a\0b\x1b[0m\x7f", b"a\0b\x1b[0m\x7f"])
def test_control_characters_survive(dump: str | bytes) -> None:
    assert read_page(dump).text == "a\0b\x1b[0m\x7f"


def test_lone_surrogates_are_kept() -> None:
    page = read_page("a\ud800\nb")
    assert page.lines == ("a\ud800", "b")
    assert page.offsets.tolist() == [0, 3]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_bytes_are_read_as_bytes(kind: type[bytearray] | type[memoryview]) -> None:
    assert read_page(kind("Größe\n".encode())) == read_page("Größe\n")


def test_anything_else_is_refused_with_advice() -> None:
    with pytest.raises(TypeError, match=r"expected a dump as str or bytes, found NoneType; .*read"):
        read_page(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["a line\n" * 100_000, "a line\r\n" * 100_000, "a\r\nb\n" * 50_000]
)
def test_memory_beside_the_lines_is_small(text: str) -> None:
    tracemalloc.start()
    page = read_page(text)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # a str of a few letters takes up to 56 bytes, a place in a tuple 8, of which there are two
    assert size / len(page) < 76


def test_a_page_cannot_be_changed() -> None:
    page = read_page("a")
    with pytest.raises(FrozenInstanceError):
        page.text = "b"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        page.offsets[0] = 1
