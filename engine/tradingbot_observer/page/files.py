"""Reads the page's own files once and puts them together: one document that carries its style and its script with it.

Nothing but these two may run or style anything there: the answer's Content-Security-Policy names them by their hashes, and allows
requests to the observer alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from pathlib import Path
from typing import Final

from tradingbot_observer.page.measures import MEASURES
from tradingbot_observer.page.state import PageState

_FOLDER: Final = Path(__file__).parent
_SLOT: Final = re.compile(r"<!--([a-z0-9_-]+)-->")


class PageFiles:
    """The page without what changes in it. `fields` are the header fields that it is sent with."""

    def __init__(self) -> None:
        style, script = (_read(name) for name in ("page.css", "page.js"))
        tile = _read("tile.html")
        tiles = "\n".join(tile.replace("{name}", measure.name).replace("{title}", measure.title) for measure in MEASURES)
        parts = {"style": f"<style>{style}</style>", "script": f"<script>{script}</script>", "tiles": tiles}
        page = _SLOT.sub(lambda found: parts.get(found[1], found[0]), _read("page.html"))
        # Every second piece is the name of a slot, which is filled once: what is put there can't name another.
        self._pieces: Final = tuple(_SLOT.split(page))
        policy = (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
        self.fields: Final = (
            ("Content-Security-Policy", "; ".join(policy)),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        )

    def render(self, state: PageState) -> bytes:
        """Return the whole page as it is now."""
        slots = state.slots | {"tone": state.tone, "title": escape(state.title)}
        return "".join(slots[piece] if index % 2 else piece for index, piece in enumerate(self._pieces)).encode(errors="replace")


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
