"""The browser that other tests and the previews rely on does what they ask of it."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from chromium import BrowserError, Chromium, dump_dom, screenshot

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


def write(folder: Path, body: str) -> Path:
    page = folder / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><title>a page</title>{body}")
    return page


def size_of(png: Path) -> tuple[int, int]:
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    return width, height


def test_a_page_is_read_after_its_scripts_have_run(tmp_path: Path) -> None:
    page = write(tmp_path, "<p id=there></p><script>there.textContent = 6 * 7</script>")
    assert '<p id="there">42</p>' in dump_dom(page)


def test_text_is_drawn_because_fonts_come_along(browser: Chromium, tmp_path: Path) -> None:
    tab = browser.page()
    tab.open(write(tmp_path, "<canvas id=drawn></canvas>"))
    assert tab.evaluate(
        """(() => { const pen = drawn.getContext("2d"); pen.font = "40px sans-serif"; pen.fillText("€ ▲", 10, 60);
        const widths = new Set(["i", "W", "▲"].map(each => pen.measureText(each).width));
        return widths.size === 3 && pen.getImageData(0, 0, 200, 100).data.some(each => each > 0) })()"""
    )


def test_a_picture_has_the_size_of_the_window_or_of_the_whole_page(browser: Chromium, tmp_path: Path) -> None:
    page = write(tmp_path, "<style>body { margin: 0 }</style><div style='height: 2500px'>long</div>")
    screenshot(page, tmp_path / "window.png", width=640, height=400)
    assert size_of(tmp_path / "window.png") == (640, 400)
    screenshot(page, tmp_path / "whole.png", width=640, height=400, full_page=True)
    assert size_of(tmp_path / "whole.png") == (640, 2500)
    phone = browser.page(width=390, height=844, phone=True)
    phone.open(page)
    phone.screenshot(tmp_path / "phone.png")
    assert size_of(tmp_path / "phone.png") == (780, 1688)


def test_errors_of_scripts_and_of_the_content_security_policy_are_noted(browser: Chromium, tmp_path: Path) -> None:
    tab = browser.page()
    policy = "<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><style>p { color: red }</style>"
    tab.open(write(tmp_path, f"{policy}<script>console.error('said', 1); setTimeout(() => {{ throw new Error('thrown') }})</script>"))
    tab.wait_for("document.readyState === 'complete'")
    tab.evaluate("new Promise(resolve => setTimeout(resolve, 50))")
    noted = "\n".join(tab.errors)
    assert "said 1" in noted
    assert "thrown" in noted
    assert "Content Security Policy" in noted


def test_what_a_page_asks_for_elsewhere_is_noted_and_not_got(browser: Chromium, tmp_path: Path) -> None:
    tab = browser.page()
    page = write(tmp_path, "<script>fetch('http://elsewhere.test/').catch(error => document.title = 'not got')</script>")
    tab.open(page)
    assert tab.wait_for("document.title === 'not got'")
    assert tab.requests == [page.as_uri(), "http://elsewhere.test/"]


def test_a_condition_that_never_holds_says_what_the_page_shows(browser: Chromium, tmp_path: Path) -> None:
    tab = browser.page()
    tab.open(write(tmp_path, "<p>a word"))
    with pytest.raises(BrowserError, match=r"document.title === 'other'; the page says: 'a word'"):
        tab.wait_for("document.title === 'other'", 0.2)


def test_an_address_where_nothing_is_is_an_error_and_the_wish_for_dark_reaches_the_page(browser: Chromium, tmp_path: Path) -> None:
    tab = browser.page(dark=True, still=True)
    with pytest.raises(BrowserError, match="ERR_FILE_NOT_FOUND"):
        tab.open(tmp_path / "nothing.html")
    tab.open(write(tmp_path, ""))
    assert tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches && matchMedia('(prefers-reduced-motion: reduce)').matches")


def test_a_page_of_a_server_is_opened_by_its_address(browser: Chromium) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<p>served")

        def log_message(self, *_words: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        tab = browser.page()
        tab.open(f"http://127.0.0.1:{server.server_port}/")
        assert tab.text() == "served"
        tab.close()
        server.shutdown()
        serving.join()


def test_it_ends_with_the_program_that_started_it() -> None:
    program = (
        "import os; from chromium import Chromium; browser = Chromium().__enter__(); print(browser._process.pid, flush=True); os._exit(1)"
    )
    paths = [str(TESTS / folder) for folder in ("browser", "servers", "cluster")]
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {program}"], stdout=subprocess.PIPE, check=False, timeout=60
    )
    psutil.wait_procs([process for process in psutil.process_iter() if process.pid == int(ended.stdout)], timeout=30)
    assert not psutil.pid_exists(int(ended.stdout))
