"""Headless Chromium for tests and previews: the machine's own, or Debian's package unpacked into the cache folder.

    with Chromium() as browser:
        page = browser.page(width=1280, height=800)
        page.open("http://127.0.0.1:8081/")
        page.wait_for("document.querySelector('h1')")
        page.screenshot(Path("page.png"), full_page=True)
        assert not page.errors

Invariant: it needs no network and reaches nothing but this machine; a page looks the same on every machine, because the fonts come
with it; it ends when it is closed, and with the program that started it however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from browser_page import Page, address_of
from devtools import BrowserError, DevTools
from server_binaries import CHROMIUM, Binaries, find_binaries

__all__ = ["BrowserError", "Chromium", "Page", "dump_dom", "screenshot"]

_END_SECONDS = 10.0
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container has little of it
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-extensions",
    # What a page asks for elsewhere fails at once and in the same way on every machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""
# A shell gives the browser its pipe under the numbers that it looks for: Popen keeps numbers as they are, and they are higher.
_LAUNCH = 'exec 3<"/proc/self/fd/$1" 4>"/proc/self/fd/$2"; shift 2; exec "$@"'
_FIRST_FREE_NUMBER = 10


class Chromium:
    """A browser, started by entering it."""

    def __init__(self, binaries: Binaries | None = None) -> None:
        self._binaries = binaries or find_binaries(CHROMIUM)
        self._folder = Path(tempfile.mkdtemp(prefix="tradingbot-browser-"))
        self._devtools: DevTools | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def page(self, *, width: int = 1280, height: int = 800, dark: bool = False, phone: bool = False, still: bool = False) -> Page:
        """Return a new tab of this size; `phone`: as dense and as narrow as a telephone draws it, `still`: a person asked for no motion."""
        assert self._devtools is not None, "the browser is not running"
        return Page(self._devtools, width=width, height=height, dark=dark, phone=phone, still=still)

    def close(self) -> None:
        """End it and remove all that it has left."""
        if self._devtools is not None:
            self._devtools.close()
        if self._process is not None:
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        commands_out, commands_in = _pipe()
        answers_out, answers_in = _pipe()
        log_path = self._folder / "browser.log"
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _LAUNCH, "sh", str(commands_out), str(answers_in), *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                pass_fds=(commands_out, answers_in),
                start_new_session=True,
            )
        os.close(commands_out)
        os.close(answers_in)
        self._devtools = DevTools(answers_out, commands_in)
        try:
            self._devtools.call("Browser.getVersion")
        except BrowserError as error:
            raise BrowserError(f"{error}; its log ends with:\n{log_path.read_text(errors='replace')[-3000:]}") from error

    def _command(self) -> list[str]:
        # The sandbox does not work for root; what is opened here are pages of our own.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        return [str(self._binaries.folder / self._program()), *_FLAGS, *sandbox, f"--user-data-dir={self._folder / 'profile'}"]

    def _program(self) -> str:
        return next(name for name in (CHROMIUM.program, *CHROMIUM.also_called) if (self._binaries.folder / name).exists())

    def _environment(self) -> dict[str, str]:
        environment = self._binaries.environment() | {"HOME": str(self._folder)}
        if self._binaries.tree is not None:
            fonts = self._folder / "fonts.conf"
            fonts.write_text(_FONTS.format(fonts=self._binaries.tree / "usr/share/fonts", cache=self._folder / "fonts"))
            environment["FONTCONFIG_FILE"] = str(fonts)
        return environment


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends have numbers that the browser does not look for."""
    ends = os.pipe()
    kept = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_NUMBER) for end in ends)
    for end in ends:
        os.close(end)
    return kept[0], kept[1]


def screenshot(
    url_or_path: str | Path, png: Path, *, width: int = 1280, height: int = 800, full_page: bool = False, dark: bool = False
) -> None:
    """Write a PNG of a page or file. Many pages: enter one :class:`Chromium` instead, which starts once.

    Raises:
        BrowserError: there is no such page, or it has errors, which are in the message.
    """
    with _opened(url_or_path, width=width, height=height, dark=dark) as page:
        page.screenshot(png, full_page=full_page)


def dump_dom(url_or_path: str | Path) -> str:
    """Return the document of a page or file after its scripts have run.

    Raises:
        BrowserError: there is no such page, or it has errors, which are in the message.
    """
    with _opened(url_or_path, width=1280, height=800, dark=False) as page:
        return page.dom()


@contextlib.contextmanager
def _opened(url_or_path: str | Path, *, width: int, height: int, dark: bool) -> Iterator[Page]:
    with Chromium() as browser:
        page = browser.page(width=width, height=height, dark=dark)
        page.open(url_or_path)
        yield page
        if page.errors:
            raise BrowserError(f"{address_of(url_or_path)} has errors: {'; '.join(page.errors)}")
