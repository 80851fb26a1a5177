"""Client order ids: the same order has the same id, in whichever process it is placed, and no two orders share one.

An id is made of the bot's identity, its shard and the order's number, and of nothing that changes with a restart. It fits the
alphabet and the 36 characters that venues allow.
"""

from __future__ import annotations

import hashlib

from tradingbot_contract.document import BotIdentity

_DIGITS = 10


def build_order_id_prefix(bot: BotIdentity) -> str:
    """Return what the ids of all orders of this shard begin with; the order's number follows.

    The uid is part of it: a bot that is deleted and created anew under its old name doesn't meet its former orders.
    """
    digest = hashlib.sha256(f"{bot.namespace}/{bot.name}/{bot.uid}".encode()).hexdigest()
    return f"tb-{digest[:_DIGITS]}-{bot.shard}-"
