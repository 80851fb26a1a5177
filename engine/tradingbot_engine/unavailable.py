"""The error for what is missing now and may be there later: nobody has to change the spec, the engine tries again."""

from __future__ import annotations


class UnavailableError(RuntimeError):
    """Something outside isn't there yet; the message says what, and what to do if it stays so."""
