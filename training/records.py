"""A labelled page, and the check of its record in JSON Lines."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from classifier.page import read_page

__all__ = ["LabeledPage", "headline_of", "page_name", "parse_record"]


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


def page_name(page: LabeledPage) -> str:
    """Return the name that all renderings of a page share."""
    return page.id.partition("#")[0]


def language_of(page: LabeledPage) -> str:
    """Return the page's language without script and region, "" where it is not known."""
    return (page.language or "").lower().replace("_", "-").partition("-")[0]


def headline_of(page: LabeledPage) -> int | None:
    """Return the physical line that is known to be the page's headline.

    WCXB's gold leaves headlines out; the labels made from it mark the one next to the content as
    the page's only ``?``.

    Returns
    -------
    int or None
        None if nothing is known.
    """
    if page.headline_line is not None or not page.id.startswith("wcxb"):
        return page.headline_line
    return page.labels.index("?") if page.labels.count("?") == 1 else None


_TYPES = {field.name: field.type for field in fields(LabeledPage)}


def parse_record(path: Path, number: int, line: bytes, wrong: list[str]) -> LabeledPage | None:
    """Return the page of one line of JSON, or tell in `wrong` why there is none."""
    where = f"{path}:{number}"
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        wrong.append(f"{where}: expected JSON, found: {error}")
        return None
    if not isinstance(record, dict):
        wrong.append(f"{where}: expected a JSON object, found {type(record).__name__}")
        return None
    known = {key: value for key, value in record.items() if key in _TYPES}
    problem = _record_problem(known)
    if problem:
        wrong.append(f"{where}: {problem}")
        return None
    return LabeledPage(**known)


def _record_problem(record: dict[str, Any]) -> str | None:
    for key, kind in _TYPES.items():
        value = record.get(key)
        expected = {"int": int, "bool": bool}.get(str(kind).split(" ")[0], str)
        if value is None and ("None" in str(kind)):
            continue
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            return f"expected {key!r} to be {expected.__name__}, found {value!r:.40}"
    labels, lines = record["labels"], read_page(record["text"]).lines
    if len(labels) != len(lines):
        return f"expected {len(lines)} labels, one a physical line; found {len(labels)}"
    if set(labels) - set("CB?."):
        return f"expected labels out of 'C', 'B', '?' and '.'; found {sorted(set(labels))}"
    top = record.get("headline_line")
    if top is not None and not 0 <= top < len(lines):
        return f"expected headline_line from 0 to {len(lines) - 1}; found {top}"
    return None
