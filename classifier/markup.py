"""HTML to the text dump that a WET record holds; needs the extra ``html``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from .page import read_page
from .records import load_extra

__all__ = [
    "BLOCKS",
    "BOXES",
    "decode_html",
    "parse_html",
    "tags",
    "unseen",
    "walk",
    "wet_text",
]


def tags(names: str) -> frozenset[str]:
    """Return names of elements, one a word, as a set."""
    return frozenset(names.split())


_TAG = re.compile("</?([a-zA-Z][a-zA-Z0-9-]*)[^<>]*>")
_SPACES = re.compile(r"[ \t\r\n\f]+")

_SKIPPED = frozenset({"script", "style", "template"})

BLOCKS = tags(
    "address article aside blockquote body br canvas center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main "
    "menu nav noscript ol optgroup p pre section select summary table tbody tfoot thead title tr "
    "ul video"
)
"""Elements that stand on lines of their own."""

BOXES = tags("td th button option")
"""Elements that share a line in a browser; a WET record gives each its own."""

_PARAGRAPHS = frozenset({"p", "div", "section", "article", "h1", "h2", "h3", "ul"})

Step = tuple[Literal["open", "text", "close"], Any, str]


def decode_html(data: bytes, content_type: str | None = None) -> str:
    r"""Decode the HTML of a page.

    Parameters
    ----------
    data : bytes
    content_type : str, optional
        The header that it was sent with, as ``"text/html; charset=koi8-r"``.

    Returns
    -------
    str
        Decoded by the byte order mark, the header, or what the page itself declares, in this
        order, as browsers do; what declares nothing, or UTF-8, as :func:`~classifier.read_page`
        reads a dump.

    Raises
    ------
    MissingExtraError
        If w3lib is not installed.

    Examples
    --------
    >>> decode_html(b'<meta charset="koi8-r"><p>\xed\xc9\xd2')
    '<meta charset="koi8-r"><p>Мир'
    """
    encoding = load_extra("w3lib.encoding", "html", "reading HTML")
    mark, mark_bytes = encoding.read_bom(data)
    name = mark or encoding.http_content_type_encoding(content_type)
    name = name or encoding.html_body_declared_encoding(data)
    if name in (None, "utf-8"):
        return read_page(data).text
    text: str = encoding.to_unicode(data[len(mark_bytes or b"") :], name)
    return text


def parse_html(html: str) -> Any:
    """Parse the HTML of a page.

    Parameters
    ----------
    html : str

    Returns
    -------
    lxml.html.HtmlElement or None
        The root; None if there is no element and no text.

    Raises
    ------
    MissingExtraError
        If lxml is not installed.
    """
    etree = load_extra("lxml.etree", "html", "reading HTML")
    reader = load_extra("lxml.html", "html", "reading HTML")
    parser = reader.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        # as bytes: lxml refuses a str that declares an encoding
        root = reader.document_fromstring(html.replace("\0", "").encode("utf-8", "replace"), parser)
    except etree.ParserError:
        return None
    if any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        flat = _TAG.sub(_flattened, html)  # nested deeper than libxml2 reads; the rest is lost
        return parse_html(flat) if flat != html else root
    return root


def _flattened(tag: re.Match[str]) -> str:
    name = tag[1].lower()
    if name in _SKIPPED:
        return tag[0]
    return "<br>" if name in BLOCKS or name in BOXES else ""


def unseen(element: Any) -> bool:
    """Return whether an element is a script, a style sheet or a template."""
    return element.tag in _SKIPPED


def walk(root: Any, skips: Callable[[Any], bool] = unseen) -> Iterator[Step]:
    """Yield the elements and texts below a root in the order of the page, at any depth.

    Parameters
    ----------
    root : lxml.html.HtmlElement or None
    skips : callable
        Whether an element is left out with all that is in it.

    Yields
    ------
    tuple of str, HtmlElement, str
        ``"open"`` and ``"close"`` with an element, ``"text"`` with a text; the other is None, "".
    """
    todo: list[Step] = [] if root is None else [("open", root, "")]
    while todo:
        kind, element, text = todo.pop()
        if kind != "open":
            yield kind, element, text
        elif isinstance(element.tag, str) and not skips(element):
            yield "open", element, ""
            if element.text:
                yield "text", None, element.text
            todo.append(("close", element, ""))
            for child in reversed(element):
                if child.tail:
                    todo.append(("text", None, child.tail))
                todo.append(("open", child, ""))


def wet_text(html: str, *, spaced: bool = False) -> str:
    r"""Return the text of a page as in Common Crawl's WET records.

    Parameters
    ----------
    html : str
    spaced : bool
        Keep cells and buttons on the line around them, and blank lines between blocks.

    Returns
    -------
    str
        A line for each block element, cell and button; inline text run together, spaces collapsed;
        no blank lines unless `spaced`.

    Raises
    ------
    MissingExtraError
        If lxml is not installed.

    Examples
    --------
    >>> wet_text("<ul><li><a>Home</a><a>News</a><li>Shop</ul><p>The <b>bridge</b> is\n shut.")
    'HomeNews\nShop\nThe bridge is shut.'
    """
    blocks = BLOCKS if spaced else BLOCKS | BOXES
    parts = []
    for kind, element, text in walk(parse_html(html)):
        if kind == "text":
            parts.append(_SPACES.sub(" ", text))
        elif element.tag in blocks:
            wide = spaced and kind == "close" and element.tag in _PARAGRAPHS
            parts.append("\n\n" if wide else "\n")
    lines = [line.strip() for line in "".join(parts).split("\n")]
    kept = [line for k, line in enumerate(lines) if line or (spaced and k and lines[k - 1])]
    return "\n".join(kept).strip("\n")
