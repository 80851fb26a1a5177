from __future__ import annotations

import subprocess
import sys

import pytest

from tradingbot_engine.http_client.client import describe


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://news.example/v1/list?token=s3cr3t", "https://news.example/v1/list"),
        ("http://user:s3cr3t@news.example:8080/", "http://news.example:8080/"),
        ("http://news.example:s3cr3t/", "the address"),
    ],
)
def test_messages_name_the_place_and_no_keys(url: str, text: str) -> None:
    assert describe(url) == text


@pytest.mark.parametrize(
    ("program", "library"),
    [
        ("from tradingbot_engine.http_client.client import *; HttpClient(Http())", "aiohttp"),
        ("import tradingbot_engine.redis_client.client, tradingbot_engine.cache.redis_level", "redis"),
    ],
)
def test_a_bot_that_speaks_to_nobody_does_not_load_the_library(program: str, library: str) -> None:
    check = f"import sys; {program}; sys.exit('{library}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False, env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
