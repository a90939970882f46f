from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from classifier.characters import CLASS, LOWER, Char, code_points, members
from training.character_table import build, char_class


@pytest.mark.parametrize(
    ("char", "kind"),
    [
        ("\n", Char.NEWLINE),
        ("\r", Char.SPACE),
        ("\u3000", Char.SPACE),
        ("\x00", Char.CONTROL),
        (".", Char.DOT),
        ("。", Char.TERMINATOR),
        ("।", Char.TERMINATOR),
        ("؟", Char.QUESTION),
        ("a", Char.LATIN_LOWER),
        ("É", Char.LATIN_UPPER),
        ("ж", Char.CYRILLIC_LOWER),
        ("Ω", Char.GREEK_UPPER),
        ("أ", Char.ARABIC),
        ("ש", Char.HEBREW),
        ("क", Char.INDIC),
        ("한", Char.HANGUL),
        ("中", Char.HAN),
        ("\U00020000", Char.HAN),
        ("あ", Char.HIRAGANA),
        ("ー", Char.KATAKANA),
        ("ก", Char.SOUTHEAST),
        ("٣", Char.DIGIT),
        ("½", Char.NUMBER),
        ("€", Char.CURRENCY),
        ("😀", Char.SYMBOL),
        ("\ud800", Char.CONTROL),
    ],
)
def test_class_of_a_character(char: str, kind: int) -> None:
    assert CLASS[ord(char)] == kind


def test_lower_case_is_that_of_python() -> None:
    for char in "AÉЖΩƏ":
        assert LOWER[ord(char)] == ord(char.lower())
    assert LOWER[ord("ß")] == ord("ß")


def test_code_points_keep_lone_surrogates() -> None:
    assert code_points("a\udcffb").tolist() == [97, 0xDCFF, 98]


def test_members_are_true_at_their_classes_only() -> None:
    assert np.flatnonzero(members(Char.DOT, Char.HAN)).tolist() == [Char.DOT, Char.HAN]


@pytest.mark.skipif(
    unicodedata.unidata_version != "14.0.0", reason="another Unicode than the table"
)
def test_table_is_the_one_that_its_script_makes() -> None:
    table = build()
    assert np.array_equal(np.repeat(table["run_class"], table["run_length"]), CLASS)
    assert np.array_equal(LOWER[table["upper"]], table["lower"])


def test_class_by_category_and_name() -> None:
    assert char_class("〉") == Char.CLOSE
    assert char_class("ﾊ") == Char.KATAKANA
