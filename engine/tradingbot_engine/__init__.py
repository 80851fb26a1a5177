"""The engine: one process that trades for one shard of one bot.

Prices come in steps from the feed; the strategy decides, risk checks, the broker fills, the journal keeps. The path a bar takes
is ordinary synchronous code without I/O and without a clock (:mod:`~tradingbot_engine.session`), so that it is the same at any
speed and gives the same result each time. Around it, :mod:`~tradingbot_engine.engine` brings in time, files and signals.

Crash-only: starting is recovering. All that must survive is in the journal, written in transactions that hold the orders, the
fills and the position in the feed together, so that a process that is killed at any moment leaves a state that some run without
interruption had, too.
"""
