"""Where Redis is: the text that a secret holds, taken apart. The password stays out of every message."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from redis.asyncio.connection import parse_url

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import ENV_REDIS_URL

_MALFORMED: Final = (
    f"the value of {ENV_REDIS_URL} is no address of a Redis: it must look like redis://:password@host:6379/0 (rediss:// with TLS), "
    "with signs in the password such as / and # written as %2F and %23"
)


class Address:
    """`options` are what redis-py makes a connection from; `str` is for people and has no password."""

    def __init__(self, url: str) -> None:
        """Take the address apart.

        Raises:
            SpecError: it is none. The text stays unsaid, because a password may be anywhere in a malformed one.
        """
        try:
            self.options: dict[str, Any] = dict(parse_url(url))
            database = urlsplit(url).path.strip("/")
        except ValueError:
            raise SpecError(_MALFORMED) from None
        path, host = self.options.get("path"), self.options.get("host")
        if not path and (not host or (database and not database.isdecimal())):
            raise SpecError(_MALFORMED)
        self._text = str(path) if path else f"{host}:{self.options.get('port', 6379)}/{self.options.get('db', 0)}"

    def __str__(self) -> str:
        return self._text
