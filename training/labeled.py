"""Labelled dumps: pages whose lines somebody has judged, as text files and as JSON Lines.

A text file holds one page: header lines ``# key: value``, then the lines of the dump, each behind
its label, ``+`` content, ``-`` boilerplate or ``?`` not judged, and two spaces. A blank line stands
as it is. JSON Lines (``.jsonl``, ``.jsonl.gz``) hold one page a line, with the text in one field
and the labels in another.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from classifier.page import read_page

__all__ = ["LabeledDataError", "LabeledPage", "read_pages", "write_jsonl", "write_page"]

SUFFIXES = (".txt", ".jsonl", ".jsonl.gz")

_LABEL_OF = {"+": "C", "-": "B", "?": "?"}
_SIGN_OF = {label: sign for sign, label in _LABEL_OF.items()}
_HEADER = re.compile(r"# *([a-z_]+) *:(.*)")
_KEYS = ("url", "site", "language", "page_type", "renderer", "source", "license", "headline_line")
_SHOWN = 5
"""Problems of one file that are told in full."""


class LabeledDataError(ValueError):
    """Labelled data that doesn't hold together, with every problem that was found.

    Attributes
    ----------
    problems : tuple of str
        One sentence each: ``file:line: expected ..., found ...; what to do``.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """List the problems, one a line."""
        return "\n".join(self.problems)


@dataclass(frozen=True)
class LabeledPage:
    """One rendering of a page, with a label for each physical line.

    Attributes
    ----------
    id : str
        Name of the page, unique among the pages that are used together.
    text : str
        The dump.
    labels : str
        One character a physical line: ``C`` content, ``B`` boilerplate, ``?`` not judged, ``.``
        blank.
    site : str
        Pages of one site are kept together when data are divided.
    url, language, page_type, renderer, source, license : str or None
        What is known of the page; `language` as in HTML ("de"), `renderer` what made the dump,
        `source` and `license` where the page came from and its terms.
    reference : str or None
        Gold text of the page's content, where the source has one.
    headline_line : int or None
        Physical line that is the page's headline, from 0; labelled ``C`` or ``?``.
    headline_in_reference : bool or None
        Whether `reference` begins with the headline.
    """

    id: str
    text: str
    labels: str
    site: str
    url: str | None = None
    language: str | None = None
    page_type: str | None = None
    renderer: str | None = None
    source: str | None = None
    license: str | None = None
    reference: str | None = None
    headline_line: int | None = None
    headline_in_reference: bool | None = None
