"""The observer: watches an engine from outside, keeps its history, scores its health and publishes facts.

It runs beside the engine, as another user. It never acts on the engine: what to do about a finding is the operator's decision.
:mod:`~tradingbot_observer.sources` read the world, :mod:`~tradingbot_observer.sampler`, :mod:`~tradingbot_observer.score`,
:mod:`~tradingbot_observer.findings` and :mod:`~tradingbot_observer.history` judge it, :mod:`~tradingbot_observer.sinks` publish.
"""
