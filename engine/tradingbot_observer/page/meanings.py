"""What each finding means for whoever holds the bot, and where it is written what to do."""

from __future__ import annotations

from typing import Final

from tradingbot_contract.report import FindingReason

RUNBOOKS: Final = "https://tradingbot.dev/docs/runbooks"
"""Where runbooks are; an installation may have its own."""

MEANINGS: Final = {
    FindingReason.ENGINE_SILENT: "The process is there and does not answer: nobody knows what it does, and its orders may stand unwatched.",
    FindingReason.ENGINE_GONE: "Nothing trades. Positions stay as they are until an engine is back, and it goes on where its journal ends.",
    FindingReason.DOCUMENT_REFUSED: "The engine does not run what the TradingBot says. A restart does not help: the spec has to change.",
    FindingReason.FEED_STALE: "No new prices come in, so nothing is decided. The feed or its source is stuck.",
    FindingReason.CPU_HIGH: "The engine needs much of a core; it may fall behind the market.",
    FindingReason.MEMORY_HIGH: "The kernel ends the engine when it comes to its limit.",
    FindingReason.ERRORS_HIGH: "Many of the engine's operations fail, such as calls of the exchange or the database.",
    FindingReason.RESPONSE_SLOW: "The engine's loop is held up; decisions come late.",
    FindingReason.CACHE_COLD: "Most of what is asked for is computed anew. It costs time, nothing else.",
    FindingReason.DATABASE_DOWN: "The engine takes prices and sends no order, because no order goes without its journal.",
    FindingReason.REDIS_DOWN: "The engine does without its shared cache, and is slower.",
    FindingReason.DEPENDENCY_DOWN: "News is missing, or metrics don't get to their collector. Trading goes on.",
    FindingReason.POOL_EXHAUSTED: "All connections are in use and something waits for one.",
    FindingReason.JOURNAL_BEHIND: "What has been done is not all written down yet; the disk or the database is slow.",
    FindingReason.MEMORY_MODE_LOWERED: "News is judged by a simpler method than the spec asks for.",
    FindingReason.SCORE_LOW: "Several measures are beyond their limits at once.",
}


ALERTS: Final = {
    FindingReason.ENGINE_SILENT: "TradingBotUnhealthy",
    FindingReason.ENGINE_GONE: "TradingBotUnhealthy",
    FindingReason.DOCUMENT_REFUSED: "TradingBotConfigRefused",
    FindingReason.FEED_STALE: "TradingBotFeedStale",
    FindingReason.CPU_HIGH: "TradingBotCPUBudgetBurn",
    FindingReason.MEMORY_HIGH: "TradingBotMemoryNearLimit",
    FindingReason.ERRORS_HIGH: "TradingBotErrorBudgetBurn",
    FindingReason.RESPONSE_SLOW: "TradingBotLatencyBudgetBurn",
    FindingReason.CACHE_COLD: "TradingBotCacheHitBudgetBurn",
    FindingReason.DATABASE_DOWN: "TradingBotDatabaseDown",
    FindingReason.REDIS_DOWN: "TradingBotDependencyDown",
    FindingReason.DEPENDENCY_DOWN: "TradingBotDependencyDown",
    FindingReason.POOL_EXHAUSTED: "TradingBotPoolExhausted",
    FindingReason.JOURNAL_BEHIND: "TradingBotJournalBehind",
    FindingReason.MEMORY_MODE_LOWERED: "TradingBotMemoryNearLimit",
    FindingReason.SCORE_LOW: "TradingBotUnhealthy",
}
"""The alert that a finding leads to, or the one whose runbook has the most to say about it."""


def runbook(reason: FindingReason, base_url: str = RUNBOOKS) -> str:
    """Return the address of the page that says what to do."""
    return f"{base_url}/{ALERTS[reason]}.md"
