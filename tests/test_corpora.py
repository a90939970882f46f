from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from training.corpora import CORPORA, Report, label_pages, main
from training.corpus_pages import Dropped, Found, SourcePage, site_of
from training.corpus_readers import selected_text
from training.labeled import read_pages, write_jsonl
from training.records import LabeledPage, headline_of

FIRST = "The harbour board said on Friday that the bridge would stay shut for nine weeks."
SECOND = "Divers found cracks in two of the bronze bearings during the yearly inspection."
TITLE = "Swing bridge closes"


def html_of(*paragraphs: str, title: str = TITLE) -> str:
    prose = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f"<html><head><title>{title} | Ledger</title></head><body><ul><li>Home<li>News</ul>"
        f"<h1>{title}</h1>{prose}<footer>All rights reserved</footer></body></html>"
    )


PAGE = html_of(FIRST, SECOND)


def put(path: Path, data: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = data.encode() if isinstance(data, str) else data
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def wcxb_truth(**changes: Any) -> str:
    record = {
        "url": "https://www.ledger.example/a",
        "_internal": {"page_type": {"primary": "article"}},
        "ground_truth": {"main_content": f"{FIRST}\n\n{SECOND}", "title": TITLE},
    }
    return json.dumps({**record, **changes})


def wcxb(root: Path) -> None:
    truth = {
        "0001": wcxb_truth(),
        "0002": wcxb_truth(),
        "0003": wcxb_truth(ground_truth={"title": "x"}),
        "0004": wcxb_truth(_internal={"page_type": "category"}, url=None),
        "0005": wcxb_truth(ground_truth={"main_content": "A text that only a script knows."}),
        "0006": "{",
        "0007": wcxb_truth(),
        "0008": wcxb_truth(),
        "0009": wcxb_truth(url=7),
    }
    for name, text in truth.items():
        put(root / "dev" / "ground-truth" / f"{name}.json", text)
        put(root / "dev" / "html" / f"{name}.html.gz", PAGE)
    put(root / "test" / "html" / "0002.html.gz", PAGE)
    put(root / "test" / "ground-truth" / "0002.json", wcxb_truth())
    (root / "dev" / "html" / "0007.html.gz").write_bytes(gzip.compress(PAGE.encode())[:-9])
    (root / "dev" / "html" / "0008.html.gz").unlink()


def run(
    corpus: str, root: Path, out: Path, *arguments: str
) -> tuple[list[LabeledPage], dict[str, Any]]:
    assert main([corpus, str(root), "--out", str(out), *arguments]) == 0
    report = json.loads(out.with_name(f"{out.name}.report.json").read_text(encoding="utf-8"))
    return read_pages([out]), report


def test_wcxb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wcxb(tmp_path)
    pages, report = run("wcxb", tmp_path, tmp_path / "o.jsonl.gz", "--styles", "wet", "lynx-like")
    assert [page.id for page in pages] == [
        "wcxb_dev/0001#wet", "wcxb_dev/0001#lynx-like", "wcxb_dev/0004#wet",
        "wcxb_dev/0004#lynx-like",
    ]  # fmt: skip
    page = pages[0]
    assert page.text.split("\n") == [
        f"{TITLE} | Ledger", "Home", "News", TITLE, FIRST, SECOND, "All rights reserved",
    ]  # fmt: skip
    assert page.labels == "BBB?CCB"
    assert (page.site, page.page_type, page.license) == ("ledger.example", "article", "CC-BY-4.0")
    assert page.reference == f"{FIRST}\n\n{SECOND}"
    assert headline_of(page) == 3
    assert (pages[2].site, pages[2].page_type) == ("wcxb_dev:0004", "collection")
    dropped = {why: told["names"] for why, told in report["dropped"].items()}
    assert dropped == {
        "in the test set too": ["0002"],
        "no gold text": ["0003"],
        "the page does not hold the gold text": ["0005#wet", "0005#lynx-like"],
        "a gold file that is not what it should be": ["0006", "0009"],
        "a file that cannot be read": ["0007"],
        "a file of it is missing": ["0008"],
    }
    assert report["pages"] == 2
    assert report["renderings"] == {"wet": 2, "lynx-like": 2}
    assert report["lines"]["C"] == sum(page.labels.count("C") for page in pages)
    assert report["oracle_word_f1"] == 1
    told = capsys.readouterr().out
    assert "2 pages, 4 renderings (CC-BY-4.0)" in told
    assert "dropped: 1, in the test set too" in told


def test_the_test_set_of_wcxb(tmp_path: Path) -> None:
    wcxb(tmp_path)
    pages, _ = run("wcxb", tmp_path, tmp_path / "o.jsonl", "--split", "test", "--styles", "wet")
    assert [page.id for page in pages] == ["wcxb_test/0002#wet"]


def test_the_same_checkout_gives_the_same_bytes(tmp_path: Path) -> None:
    wcxb(tmp_path)
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        run("wcxb", tmp_path, tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def found(corpus: str, root: Path, split: str | None = None) -> Sequence[Found]:
    return list(CORPORA[corpus].read(root, split))


def test_cleaneval(tmp_path: Path) -> None:
    wrapped = f'<text id="http://a.example/x" encoding="utf-8">\n{PAGE}</text>\n'
    wrapped_gold = FIRST.replace(" on ", "\r\non ")
    gold = (
        f"URL: http://a.example/y\r\n\r\n<h>{TITLE}\r\n<p>{wrapped_gold}"
        f"<!-- a\nb --><P>{SECOND}\n<li>Caf\u00e9 &amp; bar</l><h1>End"
    )
    put(tmp_path / "input" / "1.html", wrapped)
    put(tmp_path / "GoldStandard" / "1.txt", gold.encode() + b"<p>caf\xe9")
    put(tmp_path / "input" / "2.html", PAGE)
    put(tmp_path / "GoldStandard" / "2.txt", f"URL: http://b.example/\n<p>{FIRST}")
    put(tmp_path / "input" / "news-3.html", PAGE)
    put(tmp_path / "GoldStandard" / "news-3.txt", f"<p>{FIRST}")
    put(tmp_path / "input" / "4.html", PAGE)
    put(tmp_path / "GoldStandard" / "4.txt", "URL: x\nThis page contains no article")
    one, two, three, four = found("cleaneval", tmp_path)
    assert isinstance(one, SourcePage)
    assert one.reference.split("\n") == [TITLE, FIRST, SECOND, "Café & bar", "End", "café"]
    assert one.url == "http://a.example/x"
    assert one.html.strip() == PAGE
    assert isinstance(two, SourcePage)
    assert (two.url, two.reference, two.site) == ("http://b.example/", FIRST, None)
    assert isinstance(three, SourcePage)
    assert three.site == "news"
    assert four == Dropped("4", "an overview page without content")


def test_cleaneval_keeps_the_headline(tmp_path: Path) -> None:
    put(tmp_path / "input" / "1.html", PAGE)
    put(tmp_path / "GoldStandard" / "1.txt", f"URL: u\n<h>{TITLE}\n<p>{FIRST}\n<p>{SECOND}")
    (page,), _ = run("cleaneval", tmp_path, tmp_path / "o.jsonl", "--styles", "innertext")
    assert page.labels.replace(".", "") == "BBCCCB"
    assert page.headline_in_reference is True


@pytest.mark.parametrize(
    ("folders", "suffix"),
    [(("HTML", "Corrected"), ".html.corrected.txt"), (("input", "GoldStandard"), ".txt")],
)
def test_dragnet(tmp_path: Path, folders: tuple[str, str], suffix: str) -> None:
    gold = f"{TITLE}\n{FIRST}\nCaf\u00e9 {SECOND}\n!@#$%^&*()  COMMENTS\nFirst!\n"
    for name in ("A1", "B2"):
        put(tmp_path / folders[0] / f"{name}.html", PAGE)
        put(tmp_path / folders[1] / f"{name}{suffix}", gold.encode("cp1252"))
    put(tmp_path / "training.txt", "A1\n")
    pages = found("dragnet", tmp_path)
    assert [page.name for page in pages] == ["A1", "B2"]
    assert isinstance(pages[0], SourcePage)
    assert pages[0].reference.strip().split("\n") == [TITLE, FIRST, f"Café {SECOND}"]
    assert [page.name for page in found("dragnet", tmp_path, "training")] == ["A1"]


def test_l3s(tmp_path: Path) -> None:
    annotated = (
        f"<body class='x-nc-sel0'><p>Home</p><h1><span class='x-nc-sel1'>{TITLE}</span></h1>"
        f"<div class='x-nc-sel2 other'>{FIRST}<br>{SECOND}<p class='x-nc-sel5'>First!</p></div>"
        "<p><span class='x-nc-sel4'>Related</span><span class='x-nc-sel3'>A caption</span></p>"
    )
    put(tmp_path / "original" / "a.html", PAGE)
    put(tmp_path / "annotated" / "a.html", annotated)
    put(tmp_path / "original" / "b.html", b"\x1f\x8b\x00\xff")
    put(tmp_path / "annotated" / "b.html", annotated)
    put(tmp_path / "annotated" / "c.html", annotated)
    pages, report = run("l3s", tmp_path, tmp_path / "o.jsonl", "--styles", "wet")
    assert pages[0].reference == f"{TITLE}\n{FIRST}\n{SECOND}\nA caption"
    assert pages[0].labels == "BBBCCCB"
    assert pages[0].license == "research only"
    assert set(report["dropped"]) == {
        "a file of it is missing",
        "the page does not hold the gold text",
    }


def test_the_levels_of_l3s_hold_until_another_one() -> None:
    inside = "<b class='x-nc-sel0'>no <i class='x-nc-sel3'>c</i> no</b>"
    assert selected_text(f"a<div class='x-nc-sel2'>b {inside} d</div>e") == "b c d"
    assert selected_text("") == ""


def test_readability(tmp_path: Path) -> None:
    tests = tmp_path / "test" / "test-pages"
    put(tests / "001" / "source.html", PAGE)
    put(tests / "001" / "expected.html", f"<div><p>{FIRST}</p><p>{SECOND}</p></div>")
    put(tests / "001" / "expected-metadata.json", json.dumps({"title": TITLE, "lang": "en-GB"}))
    put(tests / "002" / "source.html", html_of("Lorem ipsum dolor sit amet."))
    put(tests / "002" / "expected.html", "<p>Lorem ipsum dolor sit amet.")
    one, two = found("readability", tmp_path)
    assert isinstance(one, SourcePage)
    assert (one.reference, one.title, one.language) == (f"{FIRST}\n{SECOND}", TITLE, "en")
    assert two == Dropped("002", "placeholder text (Lorem ipsum)")


def test_scrapinghub(tmp_path: Path) -> None:
    truth = {
        "aa": {"articleBody": f"{FIRST}\n{SECOND}", "url": "http://a.example/"},
        "bb": {"articleBody": "", "url": "http://b.example/"},
        "cc": {"url": "http://c.example/"},
    }
    put(tmp_path / "ground-truth.json", json.dumps(truth))
    for name in truth:
        put(tmp_path / "html" / f"{name}.html.gz", PAGE)
    pages, report = run("scrapinghub", tmp_path, tmp_path / "o.jsonl")
    assert [page.renderer for page in pages] == ["wet", "wetb", "resili", "insc", "htmltext"]
    assert {page.site for page in pages} == {"a.example"}
    for page in pages:
        kept = [
            line.strip()
            for line, label in zip(page.text.split("\n"), page.labels, strict=True)
            if label == "C"
        ]
        assert kept == [FIRST, SECOND]
    assert report["dropped"]["no gold text"]["names"] == ["bb"]
    assert report["dropped"]["a gold file that is not what it should be"]["names"] == ["cc"]


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.a.example.co.uk/x", "example.co.uk"),
        ("http://one.github.io", "one.github.io"),
        ("http://10.0.0.1/x", "10.0.0.1"),
        ("http://[broken", None),
        ("no address", None),
        (None, None),
    ],
)
def test_sites(url: str | None, site: str | None) -> None:
    assert site_of(url) == site


@pytest.mark.parametrize("corpus", CORPORA)
def test_another_folder_is_refused(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([corpus, str(tmp_path / "none"), "--out", str(tmp_path / "o.jsonl")]) == 2
    assert "expected a folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_mistakes_in_the_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "html").mkdir()
    put(tmp_path / "ground-truth.json", "[]")
    assert main(["scrapinghub", str(tmp_path), "--out", str(tmp_path / "o.jsonl")]) == 2
    assert "expected JSON by page, found list" in capsys.readouterr().err
    for wrong in (["--split", "dev"], ["--out", "x.csv"]):
        with pytest.raises(SystemExit):
            main(["cleaneval", str(tmp_path), "--out", str(tmp_path / "o.jsonl"), *wrong])
    assert not (tmp_path / "o.jsonl").exists()


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    out.write_text("before")

    def interrupted() -> Iterator[Found]:
        yield SourcePage("1", PAGE, FIRST)
        raise KeyboardInterrupt

    report = Report("x", "y")
    with pytest.raises(KeyboardInterrupt):
        write_jsonl(out, label_pages(CORPORA["wcxb"], interrupted(), report, prefix="x"))
    assert report.pages == 1
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]
