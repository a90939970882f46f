"""Turn HTML into dumps in the styles that people have: ``python -m training.render FILE``.

So that a page of which somebody has the HTML and the content becomes training data in each style.
The names of the styles are what records have as `renderer`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from classifier.markup import decode_html, wet_text
from classifier.records import MissingExtraError
from training.inner_text import inner_text
from training.lynx import lynx_text

__all__ = ["STYLES", "main", "render"]


def _resiliparse(html: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    text: str = extract_plain_text(
        html, preserve_formatting=True, main_content=False, links=False, alt_texts=False
    )
    return text


def _inscriptis(html: str) -> str:
    from inscriptis import get_text

    return str(get_text(html))


def _html_text(html: str) -> str:
    from html_text import extract_text

    return str(extract_text(html))


STYLES: dict[str, Callable[[str], str]] = {
    "wet": wet_text,
    "wetb": lambda html: wet_text(html, spaced=True),
    "innertext": inner_text,
    "resili": _resiliparse,
    "insc": _inscriptis,
    "htmltext": _html_text,
    "lynx-like": lynx_text,
}
"""Functions from HTML to text by style.

``wet`` is a Common Crawl WET record; ``wetb`` the same with cells and buttons inline and blank
lines between blocks; ``innertext`` what a browser copies; ``lynx-like`` as ``lynx -dump``; the
others are the libraries resiliparse, inscriptis and html-text.
"""


def render(html: str | bytes, style: str, *, url: str | None = None,
           content_type: str | None = None) -> str:  # fmt: skip
    r"""Return the dump of a page in a style.

    Parameters
    ----------
    html : str or bytes
        Bytes are decoded by :func:`classifier.markup.decode_html`.
    style : str
        A name out of :data:`STYLES`.
    url : str, optional
        Where the page is from, for a style that prints addresses.
    content_type : str, optional
        The header that the bytes were sent with.

    Returns
    -------
    str
        Without spaces at the ends of lines, and without blank lines at its own ends.

    Raises
    ------
    ValueError
        "expected a style out of wet, ...; found 'x'", and if the library cannot read the page:
        "insc cannot read this page: ..."
    MissingExtraError
        If the style's library is not installed.

    Examples
    --------
    >>> render("<h1>Tides</h1><p>High at nine.", "wet")
    'Tides\nHigh at nine.'
    """
    if style not in STYLES:
        raise ValueError(f"expected a style out of {', '.join(STYLES)}; found {style!r}")
    text = html if isinstance(html, str) else decode_html(html, content_type)
    try:
        dump = lynx_text(text, url) if style == "lynx-like" else STYLES[style](text)
    except MissingExtraError:
        raise
    except ImportError as error:
        raise MissingExtraError(
            f"rendering {style} needs {error.name}; install it with pip install 'linesift[html]'"
        ) from None
    except Exception as error:  # whatever a library makes of a broken page
        raise ValueError(f"{style} cannot read this page: {error}") from error
    return "\n".join(line.rstrip() for line in dump.split("\n")).strip("\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        The exit code: 0, or 2 for a mistake in the call.
    """
    parser = argparse.ArgumentParser(prog="python -m training.render", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="HTML of a page")
    parser.add_argument("--style", choices=STYLES, default="wet", help="default: wet")
    parser.add_argument("--url", help="where the page is from")
    parser.add_argument("--content-type", help="header that it was sent with")
    options = parser.parse_args(arguments)
    try:
        dump = render(options.file.read_bytes(), options.style, url=options.url,
                      content_type=options.content_type)  # fmt: skip
    except OSError as error:
        print(f"training.render: {options.file}: {error.strerror}", file=sys.stderr)
        return 2
    except (ValueError, MissingExtraError) as error:
        print(f"training.render: {options.file}: {error}", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(dump.encode("utf-8", "backslashreplace") + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
