"""``tradingbot new``: a strategy of one's own to begin with, with a test that passes and a manifest that runs."""
