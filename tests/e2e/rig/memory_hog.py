"""Takes the memory of an engine's container until the kernel ends the engine."""

from __future__ import annotations

from typing import Final

from rig.bots import Bot
from rig.kube import KubectlError
from rig.waiting import eventually

# Run in the engine's container: several processes that take memory until the kernel ends the engine, which they have made its first
# choice (raising a score takes no privilege). Each is small, so that the engine stays the largest, too. They say what time it is, since
# they end with the container that they bring down: the last word is of the engine's end.
_EAT_MEMORY: Final = """
import os, time
engine = {pid}
with open(f"/proc/{{engine}}/oom_score_adj", "w") as score:
    score.write("1000")
for _ in range(8):
    if os.fork() == 0:
        break
held = []
while os.path.exists(f"/proc/{{engine}}"):
    held.append(b"x" * 2**20)
    os.write(1, b"%f\\n" % time.time())
    time.sleep(0.02)
"""


def run_out_of_memory(bot: Bot) -> float:
    """Let the engine die for want of memory; return when, in seconds since the epoch."""
    report = eventually("the observer reports", bot.report, explain=bot.explain)
    assert report.engine_pid is not None
    try:
        said = bot.python(_EAT_MEMORY.format(pid=report.engine_pid))
    except KubectlError as error:
        said = error.output
    return max(float(line) for line in said.split() if line.replace(".", "", 1).isdigit())
