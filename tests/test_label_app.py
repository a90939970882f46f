from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from classifier import Model
from training.label_app.__main__ import main
from training.label_app.server import make_server
from training.label_app.session import Session, open_session
from training.labeled import read_pages

FIRST = "Home\nSign in\n\nA garden for everyone\nThe garden was old, and nobody was surprised.\n"
SECOND = "Menu\n<script>document.title = 'taken'</script>\n# url: none of ours\nLast"


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    folder = tmp_path / "dumps"
    (folder / "b.example").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"\xef\xbb\xbf" + FIRST.replace("\n", "\r\n").encode())
    (folder / "b.example" / "x.txt").write_text(SECOND)
    (folder / "empty.txt").write_text(" \n\n")
    (folder / ".hidden.txt").write_text("x")
    return folder


@contextmanager
def served(session: Session) -> Iterator[str]:
    """Serve a session in a thread; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server, address = make_server(session, listener)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(10)


class Client:
    """Sends what a test wants, with the headers that a test wants."""

    def __init__(self, address: str) -> None:
        found = re.fullmatch(r"http://(127\.0\.0\.1:\d+)/#(.+)", address)
        assert found
        self.host, self.token = found[1], found[2]

    def send(
        self, path: str, body: object = None, **changes: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        headers: dict[str, str | None] = {
            "Host": self.host,
            "Origin": f"http://{self.host}" if body is not None else None,
            "X-Linesift-Token": self.token,
            **{key.replace("_", "-"): value for key, value in changes.items()},
        }
        connection = http.client.HTTPConnection(self.host, timeout=10)
        connection.putrequest("GET" if body is None else "PUT", path, skip_host=True)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        for key, value in headers.items():
            if value is not None:
                connection.putheader(key, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data if body is not None else None)
        answer = connection.getresponse()
        found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def page(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.send(f"/api/pages/{number}")[2])
        return found


@pytest.fixture
def client(dumps: Path, tmp_path: Path, small_model: Model) -> Iterator[Client]:
    with served(open_session([dumps], tmp_path / "out", small_model)) as address:
        yield Client(address)


def test_the_page_has_strict_headers(client: Client) -> None:
    for path in ("/", "/static/app.js", "/api/session", "/nowhere"):
        headers = client.send(path)[1]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    status, headers, body = client.send("/", X_Linesift_Token=None)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert client.token.encode() not in body


@pytest.mark.parametrize(
    "changes",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Host": None},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"X_Linesift_Token": "wrong"},
        {"X_Linesift_Token": None},
    ],
)
def test_others_are_turned_away(client: Client, changes: dict[str, str | None]) -> None:
    before = client.send("/api/session")[2]
    for path in ("/api/session", "/api/pages/0"):
        assert client.send(path, **changes)[0] in (400, 403)
    good = said(client.page(0))
    assert client.send("/api/pages/0", good, **changes)[0] in (400, 403)
    assert client.send("/api/session")[2] == before


def test_a_write_needs_an_origin(client: Client) -> None:
    status, _, body = client.send("/api/pages/0", said(client.page(0)), Origin=None)
    assert status == 403
    assert b"expected a request from the labelling page" in body


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static//etc/passwd",
        "/static/server.py",
        "/api/pages/../../a",
        "/api/pages/a.txt",
        "/api/pages/-1",
    ],
)
def test_no_path_leaves_the_folder(client: Client, path: str) -> None:
    assert client.send(path)[0] == 404
    assert client.send(path, {})[0] in (404, 405)


def said(page: dict[str, Any], **changes: object) -> dict[str, Any]:
    kept = ("revision", "labels", "headline", "done", "header")
    return {**{key: page[key] for key in kept}, **changes}


def test_a_page_with_the_labels_of_the_model(client: Client, small_model: Model) -> None:
    page = client.page(0)
    assert page["name"] == "a"
    assert page["text"] == FIRST.split("\n")
    assert page["labels"] == "__.__."
    result = small_model.classify(FIRST)
    assert page["suggested"] == "".join(
        "." if not line else label[0].upper()
        for line, label in zip(result.lines, result.labels, strict=True)
    )
    assert page["probability"][2] is None
    assert page["probability"][4] == round(result.content_probability[4], 3)
    assert page["suggested_headline"] == result.headline


def test_labels_are_saved_as_a_labelled_dump(client: Client, tmp_path: Path) -> None:
    header = {"url": "https://a.example/", "language": "en", "page_type": "article"}
    body = said(client.page(0), labels="B_.CC.", headline=3, header=header)
    status, _, answer = client.send("/api/pages/0", body)
    assert status == 200
    assert json.loads(answer) == {
        "name": "a", "lines": 4, "open": 1, "done": False, "wanted": 0, "revision": 1,
    }  # fmt: skip
    assert (tmp_path / "out" / "a.txt").read_text() == (
        "# url: https://a.example/\n# language: en\n# page_type: article\n# headline_line: 3\n"
        "-  Home\n?  Sign in\n\n+  A garden for everyone\n"
        "+  The garden was old, and nobody was surprised.\n\n"
    )
    assert client.send("/api/pages/1", said(client.page(1), labels="BBC?"))[0] == 200
    (page,) = read_pages([tmp_path / "out" / "b.example"])
    assert (page.site, page.text, page.labels) == ("b.example", SECOND, "BBC?")
    names = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert names == {"a.txt", "x.txt", ".label_app.json"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": "B_.C"}, "expected 6 labels out of"),
        ({"labels": "B_.CX."}, "expected 6 labels out of"),
        ({"labels": "B_CCC."}, "expected the label '.' on blank lines"),
        ({"labels": 7}, "expected 6 labels"),
        ({"done": True}, "a page that is done to be judged"),
        ({"done": None}, "expected 'done' to be true or false"),
        ({"headline": 3}, "expected a headline that is labelled content"),
        ({"headline": 9}, "expected a headline from 0 to 5, found 9"),
        ({"headline": True}, "expected a headline from 0 to 5, found True"),
        ({"header": {"url": "a\nlabel"}}, "expected 'url' to be one line of text"),
        ({"header": {"site": "x"}}, "expected a header of url, language, page_type"),
        ({"header": None}, "expected a header of"),
    ],
)
def test_what_does_not_fit_is_refused(
    client: Client, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    status, _, body = client.send("/api/pages/0", said(client.page(0), **changes))
    assert status == 400
    assert message in json.loads(body)["error"]
    assert not (tmp_path / "out" / "a.txt").exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object(client: Client, body: bytes) -> None:
    status, _, answer = client.send("/api/pages/0", body)
    assert (status, json.loads(answer)) == (400, {"error": "expected a JSON object"})


def test_a_second_tab_does_not_overwrite(client: Client, tmp_path: Path) -> None:
    page = client.page(0)
    assert client.send("/api/pages/0", said(page, labels="BB.__."))[0] == 200
    status, _, body = client.send("/api/pages/0", said(page, labels="CC.__."))
    assert status == 409
    assert b"changed in another tab" in body
    assert read_pages([tmp_path / "out"])[0].labels == "BB.??."


def test_mistakes_are_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "none").mkdir()
    (tmp_path / "a.jsonl").write_text("{}")
    for name, message in (
        ("gone", "gone: expected a file or a folder, found none"),
        ("none", "expected dumps (.txt files, or folders with some), found none"),
        ("empty.txt", "expected a dump with text, found empty ones only"),
        ("a.jsonl", "a.jsonl: expected a text dump, found .jsonl"),
    ):
        assert main([str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
        err = capsys.readouterr().err
        assert err.startswith("training.label_app: ")
        assert message in err
    (tmp_path / "a.txt").write_text("x")
    assert main([str(tmp_path / "a.txt"), "--out", str(tmp_path / "out"), "--budget", "0"]) == 2
    assert "expected a budget of at least one line, found 0" in capsys.readouterr().err


def test_the_command_prints_the_address_and_ends_on_ctrl_c(dumps: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.label_app", str(dumps), "--no-browser", "--out"]
    with subprocess.Popen(
        [*command, str(tmp_path / "o")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "2 pages to label at\n"
        process.stdout.readline()
        client = Client(process.stdout.readline().strip())
        assert client.page(1)["name"] == "b.example/x"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().endswith(f"saved in {tmp_path / 'o'}\n")
        assert process.stderr.read() == ""
    assert process.returncode == 0
