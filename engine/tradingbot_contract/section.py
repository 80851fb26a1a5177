"""What every section of a spec is made of: a frozen struct whose bounds, rules and texts are the only ones there are."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from tradingbot_contract.quantity import PATTERN


class Rule(Struct, frozen=True):
    """A condition on several fields: ``expression`` is CEL with ``self`` as the section, ``message`` says what to do."""

    expression: str
    message: str


class Section(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of every section: frozen, camelCase on the wire, unknown fields refused."""

    __rules__: ClassVar[tuple[Rule, ...]] = ()


Percent = Annotated[float, Meta(ge=0, le=100)]
Money = Annotated[float, Meta(gt=0, le=1e15)]
Bytes = Annotated[str, Meta(min_length=1, max_length=20, pattern=PATTERN)]
Symbol = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Z0-9][A-Z0-9._:/-]*$")]
AbsolutePath = Annotated[str, Meta(min_length=2, max_length=512, pattern=r"^/.*$")]
WebAddress = Annotated[str, Meta(min_length=8, max_length=1024, pattern=r"^https?://[^\s/?#]+[^\s]*$")]
