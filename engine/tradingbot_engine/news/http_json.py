"""The engine's HTTP client, as a news feed sees it: JSON with the headers that tell whether it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from tradingbot_engine.http_client.client import HttpClient, describe
from tradingbot_engine.unavailable import UnavailableError


class JsonAnswer(NamedTuple):
    """An answer, whatever its status; `body` is None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


class NewsClient:
    """A :class:`tradingbot_engine.news.http_feed.JsonClient`."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def get_json(self, url: str, headers: Mapping[str, str], limit: int) -> JsonAnswer:
        """Return the answer.

        Raises:
            UnavailableError: there is none, it is no JSON, or it has more than `limit` bytes.
        """
        reply = await self._client.request("GET", url, headers=headers or None, limit_bytes=limit)
        try:
            return JsonAnswer(reply.status, reply.headers, msgspec.json.decode(reply.body) if reply.body else None)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise UnavailableError(f"{describe(url)} answers with something that is no JSON: {error}") from error
