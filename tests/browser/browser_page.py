"""One tab of the browser: opened at an address, looked at, photographed; it remembers what went wrong in it and what it asked for.

Invariant: `errors` has every message that a person would see as an error in the browser's console, those of a refused style or
script (Content-Security-Policy) and of a request that failed among them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from devtools import BrowserError, DevTools, Event

WITHIN_SECONDS = 30.0
_POLL_SECONDS = 0.05
_TALLEST_PIXELS = 16384


class Page:
    """A tab with a profile of its own. `requests` are the addresses that it asked for, data in the page itself left out."""

    def __init__(self, devtools: DevTools, *, width: int, height: int, dark: bool, phone: bool, still: bool) -> None:
        self._devtools = devtools
        self._context = devtools.call("Target.createBrowserContext")["browserContextId"]
        target = devtools.call("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session: str = devtools.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._width, self._height, self._scale = width, height, 2 if phone else 1
        self._is_loaded = False
        self.errors: list[str] = []
        self.requests: list[str] = []
        devtools.listen(self._session, self._note)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self._resize(height, phone=phone)
        features = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce" if still else "no-preference"}
        self.call("Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features.items()])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the result of a command of the protocol."""
        return self._devtools.call(method, self._session, **parameters)

    def open(self, address: str | Path) -> None:
        """Go to an address or a file, and return when all of it is loaded.

        Raises:
            BrowserError: there is no such page.
        """
        self._is_loaded = False
        answer = self.call("Page.navigate", url=address_of(address))
        if answer.get("errorText"):
            raise BrowserError(f"{address}: {answer['errorText']}")
        self._devtools.wait(f"{address} is loaded", lambda: self._is_loaded, WITHIN_SECONDS)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript; a promise is awaited.

        Raises:
            BrowserError: it throws.
        """
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {_describe_exception(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = WITHIN_SECONDS) -> Any:
        """Return the value of an expression as soon as it is one that JavaScript takes for true."""
        found: Any = None

        def holds() -> bool:
            nonlocal found
            found = self.evaluate(expression)
            if not found:
                self._devtools.take(_POLL_SECONDS)
            return bool(found)

        try:
            self._devtools.wait(expression, holds, seconds)
        except BrowserError as error:
            raise BrowserError(f"{error}; the page says: {self.text()[:2000]!r}; errors: {self.errors}") from error
        return found

    def text(self, selector: str = "body") -> str:
        """Return what a person reads in the first element that matches; empty if there is none."""
        found: str = self.evaluate(f"(document.querySelector({json.dumps(selector)})?.innerText ?? '')")
        return found

    def dom(self) -> str:
        """Return the document as it is now, scripts having run."""
        found: str = self.evaluate("document.documentElement.outerHTML")
        return found

    def screenshot(self, png: Path, *, full_page: bool = False) -> None:
        """Write what is to be seen as a PNG; the whole page, however long, with `full_page`."""
        clip = {}
        if full_page:
            height = min(_TALLEST_PIXELS, int(self.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")))
            # Laid out again at that height: what is placed by the height of the window is where a person would see it.
            self._resize(max(height, self._height))
            clip = {"clip": {"x": 0, "y": 0, "width": self._width, "height": max(height, self._height), "scale": 1}}
        shot = self.call("Page.captureScreenshot", format="png", **clip)
        png.parent.mkdir(parents=True, exist_ok=True)
        png.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Close it, with all that it has stored."""
        self._devtools.call("Target.disposeBrowserContext", browserContextId=self._context)

    def _resize(self, height: int, *, phone: bool | None = None) -> None:
        is_phone = self._scale > 1 if phone is None else phone
        self.call("Emulation.setDeviceMetricsOverride", width=self._width, height=height, deviceScaleFactor=self._scale, mobile=is_phone)

    def _note(self, event: Event) -> None:
        method, told = event["method"], event.get("params", {})
        if method == "Page.loadEventFired":
            self._is_loaded = True
        elif method == "Network.requestWillBeSent" and not told["request"]["url"].startswith(("data:", "blob:")):
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(_describe_exception(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "assert"}:
            self.errors.append(" ".join(str(each.get("value", each.get("description", ""))) for each in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}".strip())


def address_of(address: str | Path) -> str:
    """Return the address of a page, which may be a file on this machine."""
    if isinstance(address, str) and "://" in address:
        return address
    return Path(address).resolve().as_uri()


def _describe_exception(details: dict[str, Any]) -> str:
    thrown = details.get("exception", {})
    return str(thrown.get("description") or thrown.get("value") or details.get("text"))
