"""The Redis that other tests rely on does what they ask of it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from cache_folder import Cache
from errors import UnsuitableError

from redis_server import RedisServer
from server_binaries import REDIS, find_binaries

SERVERS = Path(__file__).parents[2] / "servers"
DEADLINE_SECONDS = 60.0
SILENCE_SECONDS = 0.3


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


def test_its_address_is_one_for_clients(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url()) as client:
        assert client.ping()


def test_a_wrong_password_is_refused(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url(password=secrets.token_hex(8))) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_paused_it_gives_no_answer_and_resumed_it_goes_on(server: RedisServer) -> None:
    server.pause()
    try:
        assert not server.answers()
        with server.connect(patience_seconds=SILENCE_SECONDS) as client, pytest.raises(redis.TimeoutError):
            client.ping()
    finally:
        server.resume()
    with server.connect() as client:
        assert client.ping()


def test_killed_it_is_gone_and_started_again_it_is_at_the_same_place(server: RedisServer) -> None:
    port = server.port
    server.kill()
    assert not server.answers()
    server.start()
    assert server.answers()
    assert server.port == port


def test_it_does_not_outlive_a_test_run_that_is_killed() -> None:
    program = "from redis_server import *; r = RedisServer(); r.start(); print(r.pid, r.folder, flush=True); signal.pause()"
    path = os.pathsep.join([str(SERVERS), str(SERVERS.parent / "cluster")])
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        assert psutil.pid_exists(int(pid))
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while psutil.pid_exists(int(pid)) or Path(folder).exists():
        assert time.monotonic() < deadline, f"process {pid} or {folder} is still there"
        time.sleep(0.05)


def test_a_machine_without_it_gets_it_from_packages_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first = find_binaries(REDIS, cache=cache, from_machine=False)
    made_at = first.folder.stat().st_mtime_ns
    second = find_binaries(REDIS, cache=cache, from_machine=False)
    assert first == second
    assert second.folder.stat().st_mtime_ns == made_at
    with RedisServer(binaries=second) as running:
        assert running.answers()


def test_a_machine_that_can_not_get_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnsuitableError, match="install it with your package manager"):
        find_binaries(REDIS, cache=Cache(tmp_path), from_machine=False)
