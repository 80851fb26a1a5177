"""Client order ids."""

from __future__ import annotations

import re

from msgspec import structs

from tradingbot_contract.document import BotIdentity
from tradingbot_engine.orders.identity import build_order_id_prefix

BOT = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0-9a5c", shard=3)


def test_it_depends_on_the_bot_alone() -> None:
    assert build_order_id_prefix(BOT) == build_order_id_prefix(structs.replace(BOT))


def test_no_two_bots_share_it() -> None:
    others = [structs.replace(BOT, **{field: value}) for field, value in (("namespace", "x"), ("name", "x"), ("uid", "x"), ("shard", 4))]
    assert len({build_order_id_prefix(bot) for bot in [BOT, *others]}) == 5


def test_it_fits_the_alphabet_and_length_of_venues() -> None:
    longest = build_order_id_prefix(structs.replace(BOT, shard=999)) + "9" * 16
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,36}", longest)
