"""Why a command brought no answer, told apart by what it says of Redis."""

from __future__ import annotations


class NoFreeConnectionError(Exception):
    """All connections of our own pool were in use for too long: nothing is known of Redis."""


class RefusedError(Exception):
    """Redis answered, with an error: it is there."""


class BrokenError(Exception):
    """No connection, no answer, or one that isn't Redis': it is gone, too slow, or something else."""


class LateError(BrokenError):
    """A command was sent and not answered in time."""


class StaleError(BrokenError):
    """A connection broke that had been open before: it may be that only this one is gone."""
