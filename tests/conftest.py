"""What holds for every test: none is judged by the time that it takes, because machines are slow for reasons of their own."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

ENV_EXAMPLES = "TRADINGBOT_FUZZ_EXAMPLES"
"""How many examples of each property are tried, where that shall be more than each commit has time for (`make fuzz`)."""

settings.register_profile("project", deadline=None)
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=int(os.environ.get(ENV_EXAMPLES, "10000")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("fuzz" if ENV_EXAMPLES in os.environ else "project")

# Who runs the tests in the background of a shell has them ignore Ctrl-C, and with them all that they start: some are ended by it.
signal.signal(signal.SIGINT, signal.default_int_handler)
