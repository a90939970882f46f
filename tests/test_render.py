from __future__ import annotations

import codecs
import gzip
import os
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from classifier import Model
from classifier.__main__ import main as linesift
from classifier.markup import decode_html, wet_text
from classifier.model_file import save_model
from training.inner_text import inner_text
from training.labeled import read_pages
from training.lynx import lynx_text
from training.render import STYLES, main, render

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("LINESIFT_SHARED", ROOT.parent / "shared"))

PAGE = """<!doctype html><html><head><title>Tides | Ledger</title><script>var a = 1</script>
<style>p {}</style></head><body><nav><ul><li><a href="/">Home</a></li>
<li><a href="/news?a b">News</a></ul></nav><!-- nothing --><h1>Tides</h1>
<p>High at <b>nine</b>, low
 at  <i>three</i>.<br>And again.</p>
<table><tr><th>Mon</th><th>9:10</th></tr> <tr><td>Tue</td><td>9:50</td></tr></table>
<pre>
a
  b</pre><form><input type=text><button>Go</button></form><p>Caf&eacute; &amp; bar</body></html>"""


def test_wet_has_a_line_for_each_block_cell_and_button() -> None:
    assert wet_text(PAGE).split("\n") == [
        "Tides | Ledger", "Home", "News", "Tides", "High at nine, low at three.", "And again.",
        "Mon", "9:10", "Tue", "9:50", "a b", "Go", "Café & bar",
    ]  # fmt: skip


def test_spaced_wet_keeps_cells_on_their_line() -> None:
    lines = wet_text(PAGE, spaced=True).split("\n")
    assert "Mon9:10" in lines
    assert lines[lines.index("Tides") + 1] == ""
    assert "" not in (lines[0], lines[-1])


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div>b<div>c</div></div>", "a\nb\nc"),
        ("a <b> b</b>  c<br> d", "a b c\nd"),
        ("<div>a</div><p>b</p><div>c</div>", "a\n\nb\n\nc"),
        ("<table><tr><td>a<td>b<tr><td>c<td></table>e", "a\tb\nc\t\ne"),
        (
            "<table><tbody><tr><td>a</td></tr></tbody> <tbody><tr><td>b</td></tr></tbody></table>",
            "a\nb",
        ),
        ("<table><caption>a</caption><tr><td>b</table>", "a\nb"),
        ("x<pre>\na\n  b</pre>y", "x\na\n  b\ny"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("<button>a</button><button>b</button>", "ab"),
        ("<p hidden>a</p><dialog>b</dialog><noscript>c</noscript><textarea>d</textarea>e", "e"),
        ("<title>a</title><p>b", "b"),
        ("", ""),
    ],
)
def test_inner_text_as_the_standard_says(html: str, text: str) -> None:
    assert inner_text(html) == text


def test_lynx_like_numbers_links_wraps_and_lists_references() -> None:
    text = lynx_text(PAGE, "https://a.example/x/")
    lines = text.split("\n")
    assert lines[:2] == ["     * [1]Home", "     * [2]News"]
    assert "Tides".center(80).rstrip() in lines
    assert "   High at nine, low at three." in lines
    assert "   Mon 9:10" in lines
    assert lines[lines.index("   a") + 1] == "     b"
    assert "   ____________________(BUTTON) Go" in lines
    assert lines[-4:] == ["References", "", "   1. https://a.example/",
                          "   2. https://a.example/news?ab"]  # fmt: skip


def test_lynx_like_wraps_at_80_columns_and_indents_lists() -> None:
    words = "word " * 60
    html = (
        f"<p>{words}<ol><li>{words}<ul><li>in<ul><li>deeper</ul></ul><li>two</ol>"
        f"<blockquote>{words}</blockquote><h2>Head</h2>{'旧桥' * 60}<hr>"
    )
    lines = lynx_text(html).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[0] == "   " + "word " * 14 + "word"
    assert "    1. word" in text_of(lines, "1. ")
    assert "       word" in lines[lines.index(text_of(lines, "1. ")) + 1]
    assert "          + in" in lines
    assert "               o deeper" in lines
    assert "    2. two" in lines
    assert lines.count("Head") == 1
    assert text_of(lines, "旧").startswith("   旧桥")
    assert lines[-1] == "   " + "_" * 74


def test_lynx_like_stands_in_for_pictures_and_fields() -> None:
    html = (
        "<p><img src=/a/b.png?x=1><img src=c.png alt='A bridge'>"
        "<img src='data:image/png;base64,/+'>"
        "<p><input type=CHECKBOX>Yes<input type=hidden value=no><input type=submit value=Send>"
    )
    assert lynx_text(html).split("\n") == ["   [b.png]A bridge[INLINE]", "", "   [ ] YesSend"]


def text_of(lines: list[str], part: str) -> str:
    return next(line for line in lines if part in line)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_keeps_the_words_of_a_page(style: str) -> None:
    dump = render(PAGE, style)
    for part in ("Home", "News", "Tides", "High at nine, low at three.", "9:50", "Café & bar"):
        assert part in dump
    assert "var a" not in dump
    assert not any(line != line.rstrip() for line in dump.split("\n"))
    assert dump == dump.strip("\n")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "html",
    [
        "", " \n", "<", "plain text", "\x00<p>\x00a", "</p></p></div>", "<!-- a", "\ud800",
        "<?xml version='1.0' encoding='latin-1'?><p>a", "<a href='http://[x'>a</a>",
        "<table><td><table><td>" * 40, "<frameset><frame></frameset>", "<svg><title>a</svg>",
        "a" * 300_000,
    ],
)  # fmt: skip
def test_broken_pages(style: str, html: str) -> None:
    ours = style in ("wet", "wetb", "innertext", "lynx-like")
    refused = nullcontext() if ours else suppress(ValueError)
    with refused:
        assert "<p>" not in render(html, style)


@pytest.mark.parametrize("style", ["wet", "wetb", "innertext", "lynx-like"])
def test_nothing_of_deep_pages_is_lost(style: str) -> None:
    depth = 5_000
    html = "<p>before" + "<div><b>" * depth + "inside" + "</b></div>" * depth + "<p>after"
    lines = [line.strip() for line in render(html, style).split("\n")]
    assert [line for line in lines if line] == ["before", "inside", "after"]


@pytest.mark.parametrize(
    ("data", "header", "text"),
    [
        ("<p>Мир".encode("koi8-r"), "text/html; charset=koi8-r", "Мир"),
        ("<meta charset=koi8-r><p>Мир".encode("koi8-r"), None, "Мир"),
        ("<?xml version='1.0' encoding='koi8-r'?><p>Мир".encode("koi8-r"), None, "Мир"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1"><p>\x93a\x94',
         None, "“a”"),
        ("<meta charset=koi8-r><p>Мир".encode(), "text/html; charset=utf-8", "Мир"),
        (codecs.BOM_UTF8 + "<p>Мир".encode(), "text/html; charset=koi8-r", "Мир"),
        (codecs.BOM_UTF16_LE + "<p>Мир".encode("utf-16-le"), None, "Мир"),
        ("<meta charset=utf-8><p>Café".encode("cp1252"), None, "Café"),
        ("<p>Мир".encode(), None, "Мир"),
        (b"<meta charset=nonsense><p>a", None, "a"),
        (b"", None, ""),
    ],
)  # fmt: skip
def test_encodings(data: bytes, header: str | None, text: str) -> None:
    assert wet_text(decode_html(data, header)) == text


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a style out of wet, .*; found 'w3m'"):
        render("", "w3m")


def test_the_command(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "x.html").write_text(PAGE, encoding="utf-8")
    assert main([str(tmp_path / "x.html"), "--style", "innertext"]) == 0
    assert capfdbinary.readouterr().out.decode() == inner_text(PAGE) + "\n"
    assert main([str(tmp_path / "gone.html")]) == 2
    assert b"gone.html: No such file" in capfdbinary.readouterr().err


def test_linesift_reads_html(
    small_model: Model, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    save_model(small_model, tmp_path / "m")
    html = "<title>A garden</title><ul><li>Home<li>Sign in</ul>" + "".join(
        f"<p>The garden was {word} again, and nobody who saw it that day was surprised."
        for word in ("old", "loud", "caf&eacute;")
    )
    (tmp_path / "x.html").write_bytes(html.encode())
    (tmp_path / "x.txt").write_text(wet_text(html), encoding="utf-8")
    for command in ("clean", "label", "show"):
        found = []
        for arguments in (["--html", str(tmp_path / "x.html")], [str(tmp_path / "x.txt")]):
            assert linesift([command, "--model", str(tmp_path / "m"), *arguments]) == 0
            found.append(capfdbinary.readouterr().out)
        assert found[0] == found[1]
        assert "café".encode() in found[0]


@pytest.mark.parametrize("library", ["lxml", "w3lib"])
def test_a_missing_library_is_told_with_its_extra(library: str, tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<p>a")
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"from classifier.__main__ import main; sys.exit(main(['clean', '--html', 'x.html']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        f"linesift: reading HTML needs {library}; install it with pip install 'linesift[html]'\n"
    )


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the corpora are not here")
def test_renderings_equal_those_of_the_corpus() -> None:
    samples = sorted((SHARED / "data" / "html_sample").glob("*.html.gz"))[::6]
    html = {path.name.split(".")[0]: gzip.decompress(path.read_bytes()) for path in samples}
    shares: dict[str, list[float]] = {}
    for page in read_pages([SHARED / "data" / "wcxb_dev.jsonl.gz"]):
        name, _, style = page.id.removeprefix("wcxb_dev/").partition("#")
        if name in html:
            lines = [Counter(text.split("\n")) for text in (page.text, render(html[name], style))]
            same = (lines[0] & lines[1]).total() / max((lines[0] | lines[1]).total(), 1)
            shares.setdefault(style, []).append(same)
    assert set(shares) == {"wet", "wetb", "resili", "insc", "htmltext"}
    for style, found in shares.items():
        assert sum(found) / len(found) >= 0.99, style
