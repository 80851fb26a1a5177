"""The ledger of who may trade what: the judge of every test with more than one engine must itself be right."""

from __future__ import annotations

from simulated_engine import BotName, Ledger

BOT, OTHER = BotName("bots", "calm"), BotName("bots", "lucky")


def test_a_symbol_that_two_engines_of_a_bot_may_trade_is_a_violation() -> None:
    ledger = Ledger()
    ledger.trades(BOT, "calm-0/1", frozenset({"AAPL", "MSFT"}))
    ledger.trades(BOT, "calm-1/1", frozenset({"MSFT"}))
    assert ledger.violations_of("bots") == ["bots/calm: MSFT is traded by calm-1/1 while calm-0/1 may trade it"]


def test_a_symbol_that_was_given_up_first_is_none() -> None:
    ledger = Ledger()
    ledger.trades(BOT, "calm-0/1", frozenset({"AAPL", "MSFT"}))
    ledger.trades(BOT, "calm-0/1", frozenset({"AAPL"}))
    ledger.trades(BOT, "calm-1/1", frozenset({"MSFT"}))
    assert not ledger.violations
    assert ledger.owners_in("bots", "calm") == {"AAPL": "calm-0/1", "MSFT": "calm-1/1"}


def test_a_new_process_of_a_shard_while_the_old_one_lives_is_a_violation() -> None:
    ledger = Ledger()
    ledger.trades(BOT, "calm-0/1", frozenset({"AAPL"}))
    ledger.trades(BOT, "calm-0/2", frozenset({"AAPL"}))
    assert len(ledger.violations) == 1


def test_bots_do_not_stand_in_each_others_way() -> None:
    ledger = Ledger()
    ledger.trades(BOT, "calm-0/1", frozenset({"AAPL"}))
    ledger.trades(OTHER, "lucky-0/1", frozenset({"AAPL"}))
    assert not ledger.violations


def test_an_engine_that_ended_late_takes_nothing_from_the_next_owner() -> None:
    ledger = Ledger()
    ledger.trades(BOT, "calm-0/1", frozenset({"AAPL"}))
    ledger.trades(BOT, "calm-0/2", frozenset({"AAPL"}))
    ledger.trades(BOT, "calm-0/1", frozenset())
    assert ledger.owners_in("bots", "calm") == {"AAPL": "calm-0/2"}
