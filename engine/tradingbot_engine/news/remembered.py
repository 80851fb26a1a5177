"""Which news has been delivered, in little room: short digests of ids, so many that an endpoint can't list more. Pure.

Ids that the endpoint still lists are kept, those that it dropped longest ago go first: whatever it lists again was not forgotten.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

_DIGEST_BYTES: Final = 9
_DIGEST_CHARACTERS: Final = 12


class Remembered:
    """See the module. 72 bits tell a thousand ids apart for longer than anyone trades."""

    __slots__ = ("_digests", "_limit", "_text")

    def __init__(self, limit: int, saved: str = "") -> None:
        """`saved` is what `text` gave an earlier process."""
        self._limit = limit
        starts = range(0, len(saved) - _DIGEST_CHARACTERS + 1, _DIGEST_CHARACTERS)
        self._digests: dict[str, None] = dict.fromkeys(saved[start : start + _DIGEST_CHARACTERS] for start in starts)
        self._text: str | None = None

    def __contains__(self, identity: str) -> bool:
        return _digest(identity) in self._digests

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, identity: str) -> None:
        """Remember it, at the cost of the one that was listed longest ago."""
        self._touch(_digest(identity))
        while len(self._digests) > self._limit:
            del self._digests[next(iter(self._digests))]

    def still_listed(self, identities: Iterable[str]) -> None:
        """Note that these, as far as they are remembered, must not be forgotten before others."""
        for identity in identities:
            digest = _digest(identity)
            if digest in self._digests:
                self._touch(digest)

    def text(self) -> str:
        """Return it all, for the checkpoint."""
        if self._text is None:
            self._text = "".join(self._digests)
        return self._text

    def _touch(self, digest: str) -> None:
        self._digests.pop(digest, None)
        self._digests[digest] = None
        self._text = None


def _digest(identity: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(identity.encode()).digest()[:_DIGEST_BYTES]).decode()
