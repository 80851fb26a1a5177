"""A Redis of a test's own. It keeps nothing when it is started again, as a cache may."""

from __future__ import annotations

import secrets
import signal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from server_binaries import REDIS, Binaries, find_binaries
from server_process import HOST, ServerProcess

_READY_SECONDS = 2.0
_ANSWER_SECONDS = 60.0


class RedisServer(ServerProcess):
    """Started by entering it, or by `start`; `url` names it for clients."""

    name = "redis"
    stop_signal = signal.SIGTERM

    def __init__(self, *, with_password: bool = True, max_clients: int = 1000, binaries: Binaries | None = None) -> None:
        super().__init__(binaries or find_binaries(REDIS))
        self.password = secrets.token_hex(8) if with_password else None
        self._max_clients = max_clients

    def url(self, *, port: int | None = None, password: str | None = None) -> str:
        """The address for clients; `port` is that of a link to it, `password` another than the right one."""
        chosen = password or self.password
        return f"redis://{f':{chosen}@' if chosen else ''}{HOST}:{port or self.port}/0"

    def connect(self, *, patience_seconds: float = _ANSWER_SECONDS) -> redis.Redis:
        """Return a client beside those of the program under test; it tries once."""
        return redis.Redis(
            host=HOST,
            port=self.port,
            password=self.password,
            socket_timeout=patience_seconds,
            socket_connect_timeout=patience_seconds,
            retry=Retry(NoBackoff(), 0),
        )

    def command(self) -> list[str]:
        protection = ["--requirepass", self.password] if self.password else []
        return [
            str(self.binaries.folder / "redis-server"), "--bind", HOST, "--port", str(self.port), "--dir", str(self.folder),
            "--save", "", "--appendonly", "no", "--daemonize", "no", "--maxclients", str(self._max_clients), *protection,
        ]  # fmt: skip

    def answers(self) -> bool:
        with self.connect(patience_seconds=_READY_SECONDS) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False
