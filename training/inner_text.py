"""HTML to text as a browser's ``innerText`` gives it, without style sheets and scripts.

Source: HTML Living Standard, 3.2.7 (the rendered text collection steps) and 15.3 (which elements
are blocks, and which are not rendered).
"""

from __future__ import annotations

import re
from typing import Any

from classifier.markup import parse_html, tags, walk

__all__ = ["inner_text"]

_BLOCKS = tags(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main "
    "menu nav ol optgroup option p plaintext pre search section summary table ul xmp"
)
_UNSEEN = tags(
    "area audio base basefont canvas datalist frame frameset head iframe link meta noembed "
    "noframes noscript object param rp script style svg template textarea title video"
)
_ROWS = frozenset({"table", "tbody", "thead", "tfoot", "tr", "colgroup"})
_RAW = frozenset({"pre", "listing", "plaintext", "xmp"})
_CELLS = ("td", "th")
_SPACES = re.compile(r"[ \t\r\n\f]+")


def _unseen(element: Any) -> bool:
    closed = element.tag == "dialog" and element.get("open") is None
    return element.tag in _UNSEEN or element.get("hidden") is not None or closed


def _another_row(row: Any) -> bool:
    section = row.getparent()
    if next(row.itersiblings("tr"), None) is not None:
        return True
    parts = section.itersiblings("tbody", "thead", "tfoot") if section.tag != "table" else ()
    return any(part.find("tr") is not None for part in parts)


class _Collector:
    """Pieces of text, and numbers of line breaks that are needed between them."""

    def __init__(self) -> None:
        self.items: list[str | int] = []
        self._line: list[str] = []
        self._open: list[str] = []
        self._raw = 0

    def _flush(self, *items: str | int) -> None:
        line = _SPACES.sub(" ", "".join(self._line)).strip(" ")
        self._line.clear()
        self.items += [line] if line else []
        self.items += items

    def text(self, text: str) -> None:
        if self._raw:
            first = isinstance(self.items[-1], int)
            self._flush(text.removeprefix("\n") if first else text)
        elif not (self._open[-1] in _ROWS and text.isspace()):
            self._line.append(text)

    def open(self, element: Any) -> None:
        tag = element.tag
        self._open.append(tag)
        self._raw += tag in _RAW
        if tag == "br":
            self._flush("\n")
        elif tag in _BLOCKS:
            self._flush(2 if tag == "p" else 1)

    def close(self, element: Any) -> None:
        tag = self._open.pop()
        self._raw -= tag in _RAW
        if tag in _BLOCKS:
            self._flush(2 if tag == "p" else 1)
        elif tag in _CELLS:
            self._flush(*["\t"] * (next(element.itersiblings(*_CELLS), None) is not None))
        elif tag == "tr":
            self._flush(*["\n"] * _another_row(element))


def inner_text(html: str) -> str:
    r"""Return the text of a page as a browser's ``innerText``.

    Parameters
    ----------
    html : str

    Returns
    -------
    str
        Paragraphs between blank lines, other blocks on lines of their own, cells behind tabs.

    Examples
    --------
    >>> inner_text("<h1>Tides</h1><p>High\n at <b>nine</b>.</p><table><tr><td>Mon<td>9:10</table>")
    'Tides\n\nHigh at nine.\n\nMon\t9:10'
    """
    collector = _Collector()
    for kind, element, text in walk(parse_html(html), _unseen):
        if kind == "text":
            collector.text(text)
        else:
            (collector.open if kind == "open" else collector.close)(element)
    parts: list[str] = []
    breaks = 0
    for item in collector.items:
        if isinstance(item, int):
            breaks = max(breaks, item)
        else:
            parts += ["\n" * breaks] if parts else []
            parts.append(item)
            breaks = 0
    return "".join(parts)
