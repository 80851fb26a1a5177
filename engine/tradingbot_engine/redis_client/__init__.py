"""Redis, which makes a bot faster and which it can do without.

Whoever asks gets an answer or an :class:`~tradingbot_engine.unavailable.UnavailableError` within a time of his own; a Redis that is
gone costs one attempt and then, for some seconds, nothing. Only :mod:`~tradingbot_engine.redis_client.pool` imports the library, and
only when there is a Redis.
"""
