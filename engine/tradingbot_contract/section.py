"""What every section of a spec is made of: a frozen struct whose bounds, rules and texts are the only ones there are."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

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
Symbol = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Z0-9][A-Z0-9._:/-]*\Z")]

ObjectName = Annotated[
    str, Meta(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
]
"""A name that an object of Kubernetes can have (RFC 1123, subdomain)."""

_HOST: Final = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_PORT: Final = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
WebAddress = Annotated[str, Meta(min_length=8, max_length=1024, pattern=rf"^https?://{_HOST}{_PORT}([/?#][!-~]*)?\Z")]
"""Without user and password: a document holds no secrets. Its port is one, because network policies are made of it."""
