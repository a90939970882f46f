from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier import Model, __version__
from classifier.__main__ import main
from classifier.model_file import save_model
from classifier.report import explanation, shown, visible

Call = Callable[..., tuple[int, str, str]]

DUMP = """Home
Sign in

A garden for everyone
The garden was old again, and nobody who saw the garden that day was surprised.
The garden was loud again, and nobody who saw the garden that day was surprised.
\x1b[2JPrivacy policy
"""


@pytest.fixture
def call(
    small_model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Call:
    """Return a function that runs the command in a folder with a dump and a small model."""
    save_model(small_model, tmp_path / "m")
    (tmp_path / "page.txt").write_text(DUMP, encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([arguments[0], "--model", "m", *arguments[1:]])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


def test_clean_prints_the_content(call: Call) -> None:
    code, out, err = call("clean", "page.txt")
    assert (code, err) == (0, "")
    assert "The garden was loud" in out
    assert "Sign in" not in out


def test_clean_body_leaves_the_headline_out(call: Call, small_model: Model) -> None:
    page = small_model.classify(DUMP)
    assert call("clean", "--body", "page.txt")[1].rstrip("\n") == page.body


def test_standard_input_and_empty_files(call: Call) -> None:
    assert call("clean", stdin=DUMP.encode())[1] == call("clean", "page.txt")[1]
    assert call("clean", "empty.txt") == (0, "", "")


def test_label_formats(call: Call) -> None:
    dump = call("label", "page.txt")[1].split("\n")
    assert [line[1:] for line in dump if line] == [f"  {x}" for x in DUMP.split("\n") if x]
    table = call("label", "--format", "tsv", "page.txt")[1].split("\n")
    assert table[0].split("\t")[0] == "boilerplate"
    assert table[2].split("\t")[1:] == ["", ""]
    record = json.loads(call("label", "--format", "json", "page.txt")[1])
    assert record["lines"] == DUMP.split("\n")
    assert record["content_probability"][2] is None
    assert record["file"] == "page.txt"


def test_show_keeps_control_characters_off_the_terminal(call: Call) -> None:
    assert "\x1b" not in call("show", "page.txt")[1]
    colored = call("show", "--color", "always", "page.txt")[1]
    assert "\x1b[2m" in colored
    assert "\x1b[2J" not in colored


def test_explain_names_features_and_their_meaning(call: Call) -> None:
    code, out, _ = call("explain", "--top", "3", "page.txt:5")
    assert code == 0
    assert out.startswith("line 5:")
    assert len(out.splitlines()) == 6
    assert "blank" in call("explain", "page.txt:3")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "page.txt"), "expected FILE:LINE"),
        (("explain", "page.txt:0"), "expected FILE:LINE"),
        (("explain", "page.txt:99"), "expected a line from 1 to 8, found 99"),
        (("explain", "gone.txt:1"), "gone.txt: No such file"),
        (("clean", "--min-probability", "7", "page.txt"), "from 0 to 1"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    call: Call, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("linesift: ")
    assert message in err


def test_a_missing_file_does_not_stop_the_others(call: Call) -> None:
    code, out, err = call("clean", "gone.txt", "page.txt")
    assert code == 1
    assert err == "linesift: gone.txt: No such file or directory\n"
    assert "The garden was loud" in out


def test_a_folder_that_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "--model", str(tmp_path), "x"]) == 2
    assert "expected a model directory" in capsys.readouterr().err


def test_a_broken_pipe_is_silent(call: Call) -> None:
    Path("long.txt").write_text("Home\n" * 50_000)
    command = f"{sys.executable} -m classifier label --model m long.txt | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_version_and_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"linesift {__version__}\n"
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_visible_spells_control_characters_out() -> None:
    assert visible("a\tb\x00\x9b") == "a\tb\\x00\\x9b"


def test_shown_marks_content_and_headline(small_model: Model) -> None:
    page = small_model.classify(DUMP)
    rows = list(shown(page, color=False))
    marks = [row[2] for row in rows]
    assert marks[4] == "|"
    assert marks[0] == " "
    assert (page.headline is None) == ("#" not in marks)


def test_explanation_of_a_blank_line(small_model: Model) -> None:
    page = small_model.classify("a\n\nb")
    assert explanation(page, 1, page.explain(1), 5).startswith("line 2 is blank")
