"""One session for everything that speaks HTTP, so that limits, kept connections and figures are those of the whole engine.

aiohttp is loaded with the first request. A request is sent once; only one that may be repeated (GET, PUT, DELETE) is sent a second time,
by aiohttp, when a kept connection turns out to be closed.
"""
