from __future__ import annotations

import msgspec
import pytest

from tradingbot_contract.section import WebAddress


@pytest.mark.parametrize(
    "address",
    [
        "http://collector:4318",
        "https://news.example/items?since=1#top",
        "http://10.0.0.1:65535/",
        "http://[::1]:8080/items",
        "https://a.b-c_d.example:1?x",
    ],
)
def test_a_web_address(address: str) -> None:
    assert msgspec.convert(address, WebAddress) == address


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host/file",
        "http:///path",
        "http://host:0/",
        "http://host:65536/",
        "http://host:port/",
        "http://host:/",
        "http://user:secret@host/",
        "http://host/with space",
        "host:4318",
    ],
)
def test_what_is_none_is_refused(address: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(address, WebAddress)
