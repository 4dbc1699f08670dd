"""Files from a local server: good, truncated, changed, absent, too large, leading elsewhere."""

from __future__ import annotations

import hashlib
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from bayesbench.errors import DataError, UnknownIdError, UsageError
from bayesbench.scores import fetching
from bayesbench.scores.fetching import Source, fetch, public_matrices, source_of
from tests.design.design_helpers import failed_examples

CONTENT = b"model,benchmark,score\na,b,50\n" * 9000
HASH = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the same content well and badly, by path."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/absent.csv":
            return self.send_error(404)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            return self.end_headers()
        content = CONTENT[:-1] + b"!" if self.path == "/changed.csv" else CONTENT
        self.send_response(200)
        if self.path != "/endless.csv":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        sent = content[:1000] if self.path == "/truncated.csv" else content
        try:
            self.wfile.write(sent)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Its address."""
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Handler.asked.clear()


def test_a_good_file_is_kept_and_not_fetched_again(server: str, tmp_path: Path) -> None:
    source = Source("m", f"{server}/good.csv", HASH.upper())
    first = fetch(source)
    assert first.downloaded and first.path.read_bytes() == CONTENT and first.size == len(CONTENT)
    again = fetch(source)
    assert not again.downloaded and again.path == first.path and len(Handler.asked) == 1
    first.path.write_bytes(b"spoilt")
    assert fetch(source).downloaded and first.path.read_bytes() == CONTENT
    named = fetch(source, tmp_path / "mine.csv")
    assert named.path == tmp_path / "mine.csv" and named.downloaded


@pytest.mark.parametrize(
    ("path", "most", "word"),
    [
        ("truncated.csv", 10**9, "ended after 1,000 of 261,000 bytes"),
        ("changed.csv", 10**9, "changed or damaged, and not kept"),
        ("absent.csv", 10**9, "HTTP 404"),
        ("good.csv", 10**5, "larger than 100,000 bytes"),
        ("endless.csv", 10**5, "larger than 100,000 bytes"),
        ("to//absent.csv", 10**9, "HTTP 404"),
        ("to/file:///etc/passwd", 10**9, "not allowed"),
    ],
)
def test_a_bad_file_is_not_kept(
    path: str, most: int, word: str, server: str, tmp_path: Path
) -> None:
    target = tmp_path / "kept.csv"
    target.write_text("before")
    with pytest.raises((DataError, UsageError), match=word):
        fetch(Source("m", f"{server}/{path}", HASH), target, most_bytes=most)
    assert target.read_text() == "before" and list(tmp_path.iterdir()) == [target]


def test_a_redirect_on_the_server_is_followed(server: str, tmp_path: Path) -> None:
    assert fetch(Source("m", f"{server}/to//good.csv", HASH), tmp_path / "a").size == len(CONTENT)


def test_no_server_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be fetched \(.*refused"):
        fetch(Source("m", "http://127.0.0.1:9/x.csv", HASH), tmp_path / "a")


def test_from_https_to_http_is_refused() -> None:
    import urllib.request

    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(DataError, match="leads from https to"):
        fetching._Redirects().redirect_request(
            request, None, 302, "", {}, "http://example.org/b"  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/a", "example.org/a", "https://", "http://a b/"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no http"):
        Source("m", url, HASH)
    with pytest.raises(UsageError, match="64 hexadecimal"):
        Source("m", "https://example.org/a", "12")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("..", "scores"),
        ("a/.bashrc", "bashrc"),
        ("a/%5c..%5cx.csv", "x.csv"),
        ("", "scores"),
        ("a/b c;d.csv?x=/../y", "b_c_d.csv"),
    ],
)
def test_names_of_files_lead_nowhere(path: str, name: str) -> None:
    source = Source("m", f"https://example.org/{path}".replace(" ", "%20"), HASH)
    assert source.file_name == name
    assert source.cached.parent.name == HASH[:16]


def test_the_registry(tmp_path: Path) -> None:
    assert public_matrices() == {}  # none whose hash is known for certain
    file = tmp_path / "mine.csv"
    head = "name,url,sha256,licence\n"
    file.write_text(f"{head}one,https://example.org/a.csv,{HASH},CC0-1.0\n")
    assert source_of("one", file).licence == "CC0-1.0"
    with pytest.raises(UnknownIdError, match="nearest: one"):
        source_of("oen", file)
    for row, word in (
        (f"x,https://example.org/a,{HASH},", "row 2: a name and a licence"),
        ("x,https://example.org/a,12,CC0", "row 2: SHA-256 '12'"),
        (f"x,file:///a,{HASH},CC0", "row 2: 'file:///a' is no http"),
        (f"x,https://a.org/a,{HASH},CC0\nx,https://a.org/b,{HASH},CC0", "row 3: 'x' stands twice"),
    ):
        file.write_text(f"{head}{row}\n")
        with pytest.raises(DataError, match=word):
            public_matrices(file)
    file.write_text("name,url\nx,y\n")
    with pytest.raises(DataError, match="missing column sha256, licence"):
        public_matrices(file)


def test_examples() -> None:
    assert failed_examples(sys.modules[fetch.__module__]) == 0
