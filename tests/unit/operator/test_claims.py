from __future__ import annotations

from typing import Any

from tradingbot_operator.accounts import Claim
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.claims import read_claims


def bot(
    name: str = "calm",
    version: int = 1,
    *,
    account: str | None = "desk",
    symbols: tuple[str, ...] = ("AAPL",),
    held: str = "",
    shards: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    return {
        "kind": "TradingBot",
        "metadata": {
            "name": name,
            "namespace": "bots",
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2027-01-15T08:00:00Z",
        },
        "spec": {"market": {"symbols": list(symbols)}} | ({"broker": {"account": account}} if account else {}),
        "status": ({"account": held} if held else {}) | ({"shards": list(shards)} if shards else {}),
    }


AAPL, OTHERS = frozenset({"AAPL"}), frozenset({"MSFT", "TSLA"})


def claim(account: str, **symbols: frozenset[str]) -> Claim:
    fields: dict[str, Any] = {"symbols": frozenset()} | symbols
    return Claim(namespace="bots", name="calm", uid="uid-calm", created_at=1_800_000_000.0, account=account, **fields)


def test_a_bot_claims_what_its_spec_names_and_what_its_engines_may_still_trade() -> None:
    shards = ({"symbols": ["TSLA"], "leaving": ["MSFT"]}, {"symbols": []})
    assert read_claims(bot()) == {"desk": claim("desk", symbols=AAPL)}, "it has not written yet that it claims anything"
    assert read_claims(bot(held="desk")) == {"desk": claim("desk", symbols=AAPL, claimed=AAPL)}
    assert read_claims(bot(held="desk", shards=shards)) == {"desk": claim("desk", symbols=AAPL, claimed=AAPL, holding=OTHERS)}
    withdrawn = bot(held="desk", shards=shards)
    withdrawn["status"]["claimed"] = []
    assert read_claims(withdrawn) == {"desk": claim("desk", symbols=AAPL, holding=OTHERS)}
    assert read_claims(bot(account=None)) == {}
    assert read_claims({"kind": "TradingBot", "metadata": {"name": "x", "namespace": "bots", "uid": "u"}}) == {}


def test_a_bot_that_names_another_account_has_to_do_with_both_until_it_has_given_the_first_one_up() -> None:
    changed = bot(account="other", held="desk", shards=({"symbols": ["MSFT", "TSLA"]},))
    changed["status"]["claimed"] = ["MSFT"]
    assert read_claims(changed) == {
        "other": claim("other", symbols=AAPL),
        "desk": claim("desk", claimed=frozenset({"MSFT"}), holding=OTHERS),
    }


def test_claims_are_found_by_account_and_go_with_the_bot() -> None:
    cache = Cache()
    cache.put(bot())
    cache.put(bot("lucky", symbols=("MSFT",)))
    cache.put(bot("alone", account=None))
    assert {each.name for each in cache.claims("desk")} == {"calm", "lucky"}
    assert cache.claims("unknown") == ()
    cache.remove(bot("lucky", 2))
    assert {each.name for each in cache.claims("desk")} == {"calm"}
    cache.replace("TradingBot", None, [], 9)
    assert cache.claims("desk") == ()


def test_a_change_of_a_claim_wakes_the_others_of_that_account_and_nobody_else() -> None:
    woken: list[BotKey] = []
    cache = Cache(woken.append)
    cache.put(bot("alone", account=None))
    cache.put(bot("elsewhere", account="other"))
    cache.put(bot())
    assert woken == []
    cache.put(bot("lucky", symbols=("MSFT",)))
    assert woken == [BotKey("bots", "calm")]
    woken.clear()
    cache.put(bot("lucky", 2, symbols=("MSFT",)))
    assert woken == [], "the claim is the same"
    cache.put(bot("lucky", 3, symbols=("MSFT",), held="desk"))
    assert woken == [BotKey("bots", "calm")]
    woken.clear()
    cache.put(bot("lucky", 4, symbols=("MSFT",), account="other"))
    assert set(woken) == {BotKey("bots", "calm"), BotKey("bots", "elsewhere")}
    woken.clear()
    cache.remove(bot("lucky", 5, account="other"))
    assert woken == [BotKey("bots", "elsewhere")]
