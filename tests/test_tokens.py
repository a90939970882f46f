from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.tokens import MAX_LINE, hash_words, lay_out, tail_hash, tokenize

LINES = st.lists(
    st.text(st.characters(exclude_characters="\n\r"), max_size=40), min_size=1, max_size=8
)


def words(*lines: str) -> list[list[str]]:
    text = lay_out([list(lines)])
    tokens = tokenize(text)
    found: list[list[str]] = [[] for _ in range(text.n_lines)]
    for line, start, stop in zip(tokens.line, tokens.start, tokens.stop, strict=True):
        found[line].append("".join(map(chr, text.codes[start:stop])))
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("HomeWorld 12Comments", ["Home", "World", "12", "Comments"]),
        ("espрусdef arrow_back", ["espрусdef", "arrow", "back"]),
        ("don't", ["don", "t"]),
        ("中文网", ["中文", "文网"]),
        ("の", ["の"]),
        ("カタカナです", ["カタカナ", "です"]),
        ("हिन्दी", ["हिन्दी"]),
        ("5½ km", ["5½", "km"]),
        ("... !", []),
    ],
)
def test_tokens_of_a_line(line: str, expected: list[str]) -> None:
    assert words(line) == [expected]


def test_blank_lines_and_pages_are_kept_apart() -> None:
    text = lay_out([["a", " ", "b"], [""], ["", "c"]])
    assert text.physical.tolist() == [0, 2, 5]
    assert text.page.tolist() == [0, 0, 2]
    assert text.page_start.tolist() == [0, 2, 2, 3]
    assert text.physical_start.tolist() == [0, 3, 4, 6]


def test_no_pages_and_no_lines() -> None:
    assert lay_out([]).n_lines == 0
    assert len(tokenize(lay_out([[""]])).line) == 0


def test_hashes_do_not_depend_on_place_or_case() -> None:
    tokens = tokenize(lay_out([["Menu menu", "x MENU"]]))
    assert len(set(tokens.hash[[0, 1, 3]].tolist())) == 1


def test_tail_of_long_tokens() -> None:
    tokens = tokenize(lay_out([["bookmarkicon icon Silicon"]]))
    assert (tokens.tail == tail_hash("icon")).tolist() == [True, False, True]


def test_hash_words_refuses_what_is_no_single_token() -> None:
    with pytest.raises(ValueError, match="two words"):
        hash_words(["one", "two words"])


def test_a_giant_line_is_read_by_its_ends() -> None:
    line = "a" * MAX_LINE + " middle " + "b" * MAX_LINE
    text = lay_out([[line, "next"]])
    assert text.stop[0] - text.start[0] == MAX_LINE
    assert text.physical.tolist() == [0, 1]


@given(LINES, LINES)
def test_a_page_does_not_depend_on_its_neighbour(first: list[str], second: list[str]) -> None:
    alone, beside = tokenize(lay_out([second])), tokenize(lay_out([first, second]))
    n = len(alone.hash)
    assert np.array_equal(alone.hash, beside.hash[len(beside.hash) - n :])
