"""Whether a document fits the container's memory: what can't fit is refused when it comes, not ended by the kernel later."""

from __future__ import annotations

from tradingbot_contract.budget import estimate_memory
from tradingbot_contract.document import EngineDocument, SpecError


def require_memory(document: EngineDocument, limit_bytes: int | None, running: EngineDocument | None = None) -> None:
    """Return if the document fits, or if nobody knows the limit.

    A document that needs no more than the `running` one is taken whatever it needs: the limit may have been lowered under it, and then
    a change of something else, or one for the better, must not be held up.

    Raises:
        SpecError: it doesn't fit; the message names the fields.
    """
    if limit_bytes is None:
        return
    budget = estimate_memory(document)
    if running is not None and budget.total <= estimate_memory(running).total:
        return
    objection = budget.objection(limit_bytes)
    if objection:
        raise SpecError(objection)
