"""What can go wrong with a call to the API server, by who must act."""

from __future__ import annotations


class ApiError(Exception):
    """A call to the API server did not do what it should."""


class UnavailableError(ApiError):
    """It can't be reached or can't answer now: try again later."""


class NotLeadingError(UnavailableError):
    """This process does not lead, or can't be sure of it any more: it must change nothing."""


class ConflictError(ApiError):
    """The object is not as it was when it was read: read it and decide again."""


class RefusedError(ApiError):
    """It does not take this: somebody has to change the resource, the cluster or the operator's rights. The message is the server's."""


class NamespaceGoingError(RefusedError):
    """The namespace is being deleted: nothing can be made in it any more, and what is in it goes by itself."""
