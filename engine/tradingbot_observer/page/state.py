"""All that changes of the page, by the name of the slot that it stands in."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.report import Sample
from tradingbot_contract.spec import Health
from tradingbot_observer.page import words
from tradingbot_observer.page.account import render_dependencies, render_engine, render_pools, render_trading
from tradingbot_observer.page.markup import element
from tradingbot_observer.page.meanings import RUNBOOKS
from tradingbot_observer.page.measures import MEASURES, Limit
from tradingbot_observer.page.overview import name_bot, render_findings, render_identity, render_ring, render_verdict
from tradingbot_observer.page.verdict import judge
from tradingbot_observer.sinks.prometheus import Facts

MEMORY: Final = "memory_bytes"


class PageState(Struct, frozen=True):
    """What the page shows at one moment. `slots` are HTML, everything in which was escaped; `samples` tells when there are more to draw."""

    tone: str
    title: str
    samples: int
    limits: dict[str, Limit]
    slots: dict[str, str]


def build_state(facts: Facts, health: Health, runbooks: str = RUNBOOKS) -> PageState:
    """Return what the page shows of this; `runbooks` is where it says what to do about a finding."""
    report = facts.report
    verdict = judge(report, health)
    sample = report.sample or Sample(at=report.observed_at)
    limits = {measure.name: measure.limit(sample, health) for measure in MEASURES}
    slots = {
        "bot": element("span", words.text(report.bot, 253) if report.bot else name_bot(report)),
        "identity": render_identity(report),
        "ring": render_ring(report.score, verdict.tone),
        "verdict": render_verdict(verdict),
        "findings": render_findings(report, runbooks),
        "trading": render_trading(facts),
        "engine": render_engine(facts),
        "dependencies": render_dependencies(facts),
        "pools": render_pools(facts),
        "at": element("span", words.moment(report.observed_at, report.observed_at)),
    }
    for measure in MEASURES:
        slots[f"{measure.name}-now"] = element("span", measure.show(getattr(sample, measure.name)))
        slots[f"{measure.name}-limit"] = element("span", limits[measure.name].label)
    title = f"{verdict.tone.mark} {verdict.word} · {name_bot(report)}"
    return PageState(
        tone=verdict.tone.value,
        title=title,
        samples=facts.samples,
        limits=limits,
        slots={name: str(content) for name, content in slots.items()},
    )
