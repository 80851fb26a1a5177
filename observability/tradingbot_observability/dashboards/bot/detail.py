"""What is looked at when everything above has not explained it."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, timeline
from tradingbot_observability.dashboards.series import BOT, CPU_MODE, TASK
from tradingbot_observability.dashboards.states import MODE_WORDS, MODES, PASSED, numbered

DETAIL: Final = section(
    "More of the engine",
    line(
        8,
        plot(
            "Way through the prices",
            "Share of the prices that is done, and how often they have begun anew.",
            "none",
            Query(f"max by (pod) ({BOT.of(metrics.FEED_PROGRESS)})", "{{pod}} done"),
            Query(f"max by (pod) ({BOT.of(metrics.FEED_LAP)})", "{{pod}} laps", dashed=True),
        ),
        plot(
            "Heartbeat",
            "Time since the main loop last turned, and since the engine last answered its observer. At the line it counts as silent by "
            "default.",
            "s",
            Query(f"time() - max by (pod) ({BOT.of(metrics.HEARTBEAT_TIME)})", "{{pod}} loop"),
            Query(f"max by (pod) ({BOT.of(metrics.OBSERVER_ANSWER_AGE)})", "{{pod}} answer", dashed=True),
            steps=(at.LINE, *at.ANSWER_AGE[1:]),
        ),
        timeline(
            "Limits of losses",
            "While a limit of losses is passed, so that risk.onBreach counts.",
            Query(f"max by (limit) ({BOT.of(metrics.RISK_BREACHED)})", "{{limit}}"),
            PASSED,
        ),
        timeline(
            "How news is judged",
            "The mode in which news is judged. Lower than what the spec asks for when memory is short, or a model is missing.",
            Query(numbered(BOT, metrics.MEMORY_MODE, "mode", MODES, "pod"), "{{pod}}"),
            MODE_WORDS,
            nothing="This bot judges no news",
        ),
    ),
    line(
        8,
        plot(
            "Changed documents",
            "Changes that came while it ran, in a second: applied, refused, or only read by a new process.",
            "cps",
            Query(f"sum by (result) ({BOT.rate(metrics.CONFIG_CHANGES)})", "{{result}}"),
        ),
        plot(
            "Time to take a change",
            "Time from seeing a changed document to running it that 95 of 100 stay below.",
            "s",
            Query(BOT.quantile(0.95, metrics.CONFIG_APPLY_DURATION), "95 of 100"),
        ),
        plot(
            "Background jobs",
            "Jobs in a second by result; throttled ones were put off because the engine was busy.",
            "cps",
            Query(f"sum by ({TASK}, result) ({BOT.rate(metrics.JOB_RUNS)})", f"{{{{{TASK}}}}} {{{{result}}}}"),
        ),
        plot(
            "Time of a job",
            "Time of a background job that 95 of 100 stay below.",
            "s",
            Query(BOT.quantile(0.95, metrics.JOB_DURATION, TASK), f"{{{{{TASK}}}}}"),
        ),
    ),
    line(
        8,
        plot(
            "Caches: entries and limit",
            "Entries of each cache; the dashed line is the most that it may have now.",
            "short",
            Query(f"sum by (cache) ({BOT.of(metrics.CACHE_ENTRIES)})", "{{cache}}"),
            Query(f"sum by (cache) ({BOT.of(metrics.CACHE_ENTRIES_LIMIT)})", "{{cache}} limit", dashed=True),
        ),
        plot(
            "Caches: values computed",
            "Values that were computed for a cache in a second, and look-ups in Redis after a miss.",
            "cps",
            Query(f"sum by (cache, result) ({BOT.rate(metrics.CACHE_LOADS)})", "{{cache}} {{result}}"),
            Query(f"sum by (cache, result) ({BOT.rate(metrics.CACHE_SECOND_LEVEL_LOOKUPS)})", "{{cache}} Redis {{result}}", dashed=True),
        ),
        plot(
            "Caches: time to compute a value",
            "Time to compute a value for a cache that 95 of 100 stay below.",
            "s",
            Query(BOT.quantile(0.95, metrics.CACHE_LOAD_DURATION, "cache"), "{{cache}}"),
        ),
        plot(
            "Memory given back",
            "Times in a second that memory was short: first caches shrink, then the mode of judging news is lowered.",
            "cps",
            Query(f"sum by (step) ({BOT.rate(metrics.MEMORY_SHEDS)})", "{{step}}"),
        ),
    ),
    line(
        8,
        plot(
            "Memory in the engine's own words",
            "Resident memory as the engine sees itself, with pages of files, and the limit that it goes by.",
            "bytes",
            Query(f"max by (pod) ({BOT.of(metrics.MEMORY_USAGE)})", "{{pod}}", at.BLUE),
            Query(f"max by (pod) ({BOT.of(metrics.MEMORY_LIMIT)})", "{{pod}} limit", at.RED, dashed=True),
        ),
        plot(
            "CPU time by mode",
            "CPU time of the engine in a second, in its own code (user) and in the kernel (system).",
            "percentunit",
            Query(f"sum by ({CPU_MODE}) ({BOT.rate(metrics.CPU_TIME)})", f"{{{{{CPU_MODE}}}}}"),
            stacked=True,
        ),
        plot(
            "Journal: commits and rows removed",
            "Transactions that the journal has committed, and rows that were removed because newer ones count, in a second.",
            "cps",
            Query(f"sum({BOT.rate(metrics.JOURNAL_COMMITS)})", "commits"),
            Query(f"sum by (table) ({BOT.rate(metrics.RETENTION_ROWS)})", "{{table}} rows removed", dashed=True),
        ),
        plot(
            "The observer's look",
            "Samples and questions of the observer in a second, by what became of them.",
            "cps",
            Query(f"sum by (result) ({BOT.rate(metrics.OBSERVER_PROBES)})", "{{result}}"),
            Query(f"sum({BOT.rate(metrics.OBSERVER_SAMPLES)})", "samples", dashed=True),
        ),
    ),
)
