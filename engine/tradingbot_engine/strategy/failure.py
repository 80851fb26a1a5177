"""What a user's code has raised, in words. Never raises itself, although the error's own code is the user's, too."""

from __future__ import annotations


def describe_failure(error: Exception) -> str:
    """Return kind and text of an error; one that can't be written out is known by its kind."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - whatever it raises in turn, it has no text
        return type(error).__name__
    return f"{type(error).__name__}: {text}"
