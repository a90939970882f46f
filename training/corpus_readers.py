"""Pages and gold texts of public corpora, read from the layouts that their authors publish."""

from __future__ import annotations

import gzip
import html
import re
from pathlib import Path

from classifier.markup import BLOCKS, BOXES, decode_html, parse_html, walk, wet_text
from classifier.page import read_page
from training.corpus_pages import (
    Dropped,
    Found,
    LayoutError,
    Pages,
    SourcePage,
    folder,
    read_json,
)

__all__ = [
    "read_cleaneval",
    "read_dragnet",
    "read_l3s",
    "read_readability",
    "read_scrapinghub",
    "read_wcxb",
]


def read_wcxb(root: Path, split: str | None = None) -> Pages:
    """Read WCXB; of the development set the pages that the test set has too are left out.

    Parameters
    ----------
    root : Path
        The folder with ``dev`` and ``test``.
    split : str, optional
        ``"dev"`` by default, or ``"test"``.
    """
    split = split or "dev"
    gold, pages = (folder(root, f"{split}/{name}") for name in ("ground-truth", "html"))
    test = root / "test" / "html"
    shared = {path.name for path in test.glob("*")} if split == "dev" else set()

    def read(path: Path) -> Found:
        packed = f"{path.stem}.html.gz"
        if packed in shared:
            return Dropped(path.stem, "in the test set too")
        record = read_json(path)
        truth = record["ground_truth"]
        kind = record.get("_internal", {}).get("page_type")
        kind = kind.get("primary") if isinstance(kind, dict) else kind
        return SourcePage(
            name=path.stem,
            html=decode_html(gzip.decompress((pages / packed).read_bytes())),
            reference=truth.get("main_content") or "",
            url=record.get("url"),
            title=truth.get("title"),
            page_type="collection" if kind == "category" else kind,
            language="en",
        )

    return Pages([*gold.glob("*.json")], read)


_WRAPPER = re.compile(rb"\A\s*<text\b([^>]*)>|</text>\s*\Z", re.IGNORECASE)
_WRAPPED_URL = re.compile(rb"""\bid\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BLOCK = re.compile(r"<\s*/?\s*(?:p|h\d?|l|li)\s*/?\s*>", re.IGNORECASE)
_GOLD_URL = re.compile(r"\A\s*URL:[ \t]*(\S*)[^\n]*")


def read_cleaneval(root: Path, split: str | None = None) -> Pages:
    """Read CleanEval, or CleanPortalEval: ``input/N.html`` and ``GoldStandard/N.txt``."""
    pages, gold = folder(root, "input"), folder(root, "GoldStandard")

    def read(path: Path) -> Found:
        text = _mixed(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
        if "contains no article" in text[:1000]:
            return Dropped(path.stem, "an overview page without content")
        data = (pages / f"{path.stem}.html").read_bytes()
        wrapper, address = _WRAPPER.match(data), _GOLD_URL.match(text)
        inside = _WRAPPED_URL.search(wrapper[1] or b"") if wrapper else None
        url = inside[1].decode("ascii", "replace") if inside else address[1] if address else None
        blocks = _BLOCK.split(_COMMENT.sub("", _GOLD_URL.sub("", text)))
        lines = [" ".join(html.unescape(block).split()) for block in blocks]
        return SourcePage(
            name=path.stem,
            html=decode_html(_WRAPPER.sub(b"", data)),
            reference="\n".join(line for line in lines if line),
            url=url or None,
            language="en",
            site=re.sub(r"[-_.]?\d+$", "", path.stem) or None if not url else None,
        )

    return Pages([*gold.glob("*.txt")], read)


def _mixed(data: bytes) -> str:
    """Decode UTF-8 in which some bytes are of Windows-1252."""
    text = data.decode("utf-8", "surrogateescape")
    return re.sub(
        "[\udc80-\udcff]+",
        lambda bad: bad[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace"),
        text,
    )


_COMMENTS = re.compile(r"^.*!@#\$%\^&\*\(\)\s+COMMENTS", re.MULTILINE)


def read_dragnet(root: Path, split: str | None = None) -> Pages:
    """Read Dragnet's pages with their articles; the comments below them are no content.

    Parameters
    ----------
    root : Path
        The folder with ``HTML`` and ``Corrected``, or ``input`` and ``GoldStandard``.
    split : str, optional
        ``"training"`` or ``"test"``, the pages that ``training.txt`` or ``test.txt`` names.
    """
    pages, gold = folder(root, "HTML", "input"), folder(root, "Corrected", "GoldStandard")
    names = set(read_page((root / f"{split}.txt").read_bytes()).lines) if split else set()

    def read(path: Path) -> Found:
        name = path.name.partition(".html")[0].removesuffix(".txt")
        text = read_page(path.read_bytes()).text
        return SourcePage(
            name=name,
            html=decode_html((pages / f"{name}.html").read_bytes()),
            reference=_COMMENTS.split(text, maxsplit=1)[0],
            page_type="article",
        )

    paths = [*gold.glob("*.txt")]
    if split:
        paths = [p for p in paths if p.name.partition(".html")[0].removesuffix(".txt") in names]
    return Pages(paths, read)


_LEVEL = re.compile(r"x-nc-sel(\d)")
_CONTENT_LEVELS = frozenset("123")
"""Headline, full text and supplemental (Kohlschuetter et al. 2010)."""


def read_l3s(root: Path, split: str | None = None) -> Pages:
    """Read L3S-GN1: HTML, and the same HTML with classes that tell content."""
    pages = folder(root, "original", "input", "HTML")
    gold = folder(root, "annotated", "GoldStandard")

    def read(path: Path) -> Found:
        return SourcePage(
            name=path.stem,
            html=decode_html((pages / path.name).read_bytes()),
            reference=selected_text(decode_html(path.read_bytes())),
            page_type="article",
            language="en",
        )

    return Pages([*gold.glob("*.html")], read)


def selected_text(annotated: str) -> str:
    r"""Return the text of an annotated page below elements of the content's classes.

    Examples
    --------
    >>> selected_text("<div class='x-nc-sel2'>a<p>b <i class='x-nc-sel0'>ad</i>c</p></div>d")
    'a\nb c'
    """
    levels, parts = ["0"], []
    for kind, element, text in walk(parse_html(annotated)):
        if kind == "text":
            parts.append(text if levels[-1] in _CONTENT_LEVELS else "")
            continue
        if element.tag in BLOCKS or element.tag in BOXES:
            parts.append("\0")
        if kind == "open":
            found = _LEVEL.search(element.get("class", ""))
            levels.append(found[1] if found else levels[-1])
        else:
            levels.pop()
    lines = [" ".join(line.split()) for line in "".join(parts).split("\0")]
    return "\n".join(line for line in lines if line)


def read_readability(root: Path, split: str | None = None) -> Pages:
    """Read the test pages of Mozilla's Readability; those of placeholder text are left out."""
    tests = folder(root, "test/test-pages", "test-pages")

    def read(path: Path) -> Found:
        page = decode_html((path / "source.html").read_bytes())
        if "lorem ipsum" in page.lower():
            return Dropped(path.name, "placeholder text (Lorem ipsum)")
        known = path / "expected-metadata.json"
        facts = read_json(known) if known.is_file() else {}
        return SourcePage(
            name=path.name,
            html=page,
            reference=wet_text(decode_html((path / "expected.html").read_bytes())),
            title=facts.get("title"),
            page_type="article",
            language=(facts.get("lang") or "").partition("-")[0].lower() or None,
        )

    return Pages([path for path in tests.iterdir() if path.is_dir()], read)


def read_scrapinghub(root: Path, split: str | None = None) -> Pages:
    """Read Scrapinghub's article-extraction-benchmark."""
    pages = folder(root, "html")
    file = root / "ground-truth.json"
    try:
        truth = read_json(file)
    except (OSError, ValueError) as error:
        raise LayoutError(f"{file}: expected JSON by page, found: {error}") from None
    if not isinstance(truth, dict):
        raise LayoutError(f"{file}: expected JSON by page, found {type(truth).__name__}")

    def read(path: Path) -> Found:
        name = path.name.partition(".")[0]
        return SourcePage(
            name=name,
            html=decode_html(gzip.decompress(path.read_bytes())),
            reference=truth[name]["articleBody"],
            url=truth[name].get("url"),
            page_type="article",
        )

    return Pages([pages / f"{name}.html.gz" for name in truth], read)
