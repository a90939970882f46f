"""HTML to text as ``lynx -dump`` prints it: numbered links, indented, wrapped, with references."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from classifier.markup import parse_html, tags, unseen, walk

__all__ = ["lynx_text"]

_WIDTH = 80
_INDENT = 3
_BULLETS = "*+o#@-"

_SPACED = tags("h1 h2 h3 h4 h5 h6 p pre blockquote table form dl ul ol menu dir hr")
"""Elements between blank lines; lists only if they stand in no other list."""

_LINES = tags(
    "address article aside body br caption center dd details div dt fieldset figcaption figure "
    "footer header hgroup legend li main nav option section summary tr"
)
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_HEADINGS = {"h1": 0, "h2": 0, "h3": 2, "h4": 4, "h5": 6, "h6": 8}
_DEEPER = {"blockquote": 3, "dd": 6}
_UNSEEN = frozenset({"head", "title", "svg", "iframe", "video", "audio", "canvas", "datalist"})


def _unseen(element: Any) -> bool:
    return unseen(element) or element.tag in _UNSEEN


class _Writer:
    """The lines written so far, and the line that is being filled."""

    def __init__(self, url: str) -> None:
        self.lines: list[str] = []
        self.links: list[str] = []
        self._url = url
        self._words: list[str] = []
        self._lists: list[tuple[str, int]] = []
        self._mark = ""
        self._deeper = 0
        self._raw = 0
        self._heading: str | None = None

    def text(self, text: str) -> None:
        if self._raw:
            first, *rest = text.replace("\r", "\n").split("\n")
            self._words.append(first)
            for line in rest:
                self.end_line()
                self._words.append(line)
        else:
            self._words.append(text)

    def end_line(self, blank: bool = False) -> None:
        """Write what the line holds, wrapped; `blank`: and a blank line if there is none."""
        text = "".join(self._words)
        text = text if self._raw else " ".join(text.split())
        self._words.clear()
        if text.strip() or (self._raw and self.lines and self.lines[-1]):
            self.lines += self._wrapped(text)
            self._mark = ""
        if blank and self.lines and self.lines[-1]:
            self.lines.append("")

    def _wrapped(self, text: str) -> Iterator[str]:
        indent = 5 * len(self._lists) + 2 if self._lists else _INDENT
        if self._heading is not None:
            indent = _HEADINGS[self._heading]
        indent = min(indent + self._deeper, _WIDTH // 2)
        if self._raw:
            yield " " * indent + text
            return
        width = _WIDTH - indent
        # textwrap takes a time squared in a long word; lynx breaks it, as all of Chinese
        for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
            for start in range(0, len(line), width):
                part = line[start : start + width]
                if self._heading == "h1":
                    yield part.center(_WIDTH).rstrip()
                else:
                    yield f"{self._mark:>{indent}}{part}"
                self._mark = ""

    def open(self, element: Any) -> None:
        tag = element.tag
        if tag in _SPACED or tag in _LINES:
            self.end_line(blank=tag in _SPACED and not (tag in _LISTS and self._lists))
        self._deeper += _DEEPER.get(tag, 0)
        self._raw += tag == "pre"
        if tag in _HEADINGS:
            self._heading = tag
        elif tag in _LISTS:
            self._lists.append((tag, 0))
        elif tag == "li" and self._lists:
            kind, count = self._lists[-1]
            self._lists[-1] = kind, count + 1
            bullet = _BULLETS[(len(self._lists) - 1) % len(_BULLETS)]
            self._mark = f"{count + 1}. " if kind == "ol" else f"{bullet} "
        else:
            self._words.append(self._inline(element))

    def _inline(self, element: Any) -> str:
        """Return what stands where an element begins."""
        tag, get = element.tag, element.get
        if tag == "a" and get("href"):
            self.links.append(_absolute(self._url, get("href")))
            return f"[{len(self.links)}]"
        if tag == "img":
            source = get("src", "").partition("?")[0]
            name = "INLINE" if source.startswith("data:") else source.rpartition("/")[2]
            return str(get("alt", f"[{name}]"))
        if tag == "input":
            kind = get("type", "text").lower()
            boxes = {"checkbox": "[ ] ", "radio": "( ) ", "hidden": "", "image": "[submit]"}
            buttons = ("submit", "button", "reset")
            return boxes.get(kind, get("value", "Submit") if kind in buttons else "_" * 20)
        whole = {"hr": "_" * (_WIDTH - 2 * _INDENT), "button": "(BUTTON) "}
        return whole.get(tag, " " if tag in ("td", "th") else "")

    def close(self, element: Any) -> None:
        tag = element.tag
        if tag in _SPACED or tag in _LINES:
            outer = tag in _SPACED and not (tag in _LISTS and len(self._lists) > 1)
            self.end_line(blank=outer)
        self._deeper -= _DEEPER.get(tag, 0)
        self._raw -= tag == "pre"
        if tag in _HEADINGS:
            self._heading = None
        elif tag in _LISTS:
            self._lists.pop()


def _absolute(base: str, href: str) -> str:
    try:
        return urljoin(base, "".join(href.split()))
    except ValueError:  # a broken address stays as it is
        return "".join(href.split())


def lynx_text(html: str, url: str | None = None) -> str:
    r"""Return the text of a page much as ``lynx -dump`` prints it.

    Parameters
    ----------
    html : str
    url : str, optional
        Where the page is from, for the addresses of its links.

    Returns
    -------
    str
        Indented by three columns, wrapped at 80; a number before each link, and the addresses at
        the end.

    Examples
    --------
    >>> print(lynx_text("<ul><li><a href=/tides>Tides</a><li>Moon</ul>", "https://a.example/"))
         * [1]Tides
         * Moon
    <BLANKLINE>
    References
    <BLANKLINE>
       1. https://a.example/tides
    """
    writer = _Writer(url or "file:///")
    for kind, element, text in walk(parse_html(html), _unseen):
        if kind == "text":
            writer.text(text)
        else:
            (writer.open if kind == "open" else writer.close)(element)
    writer.end_line(blank=True)
    lines = writer.lines
    if writer.links:
        lines += ["References", ""]
        lines += [f"{number:>4}. {link}" for number, link in enumerate(writer.links, start=1)]
    return "\n".join(lines).strip("\n")
