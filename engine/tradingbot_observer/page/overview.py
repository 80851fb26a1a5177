"""The upper part of the page: which bot it is, how it is, and what was found."""

from __future__ import annotations

from typing import Final

from tradingbot_contract.report import Finding, ObserverReport
from tradingbot_observer.page import words
from tradingbot_observer.page.markup import Markup, element, join
from tradingbot_observer.page.meanings import MEANINGS, runbook
from tradingbot_observer.page.verdict import TONES, Tone, Verdict

_MOST_CHARACTERS: Final = 253
"""Of a name, as many as Kubernetes allows."""


def name_bot(report: ObserverReport) -> str:
    """Return the bot as people name it."""
    return words.text(f"{report.namespace}/{report.bot}", _MOST_CHARACTERS) if report.bot else "a bot without a document"


def render_identity(report: ObserverReport) -> Markup:
    """Return who it is: name, shard, generation."""
    told = [("Namespace", words.text(report.namespace, _MOST_CHARACTERS)), ("Shard", str(report.shard))]
    if report.generation is not None:
        told.append(("Generation", str(report.generation)))
    if report.pod_uid:
        told.append(("Pod UID", words.text(report.pod_uid, 36)))
    return join(*(element("span", element("b", f"{name} "), value) for name, value in told))


def render_ring(score: float | None, tone: Tone) -> Markup:
    """Return the score as a ring that is as long as the score is high, with the figure in it."""
    share = 0.0 if score is None else min(100.0, max(0.0, score))
    ring = element(
        "svg",
        element("circle", cx=60, cy=60, r=52, class_="track"),
        element("circle", cx=60, cy=60, r=52, class_="share", pathLength=100, stroke_dasharray=f"{share:.1f} 100"),
        viewBox="0 0 120 120",
        aria_hidden="true",
    )
    figure = element("span", words.number(score), class_="figure")
    said = "the score is not known" if score is None else f"score {score:.0f} of 100"
    return element("div", ring, figure, element("small", "score"), class_=f"ring {tone.value}", role="img", aria_label=said)


def render_verdict(verdict: Verdict) -> Markup:
    """Return the word and why it is that word."""
    mark = element("span", verdict.tone.mark, aria_hidden="true")
    return join(element("p", mark, f" {verdict.word}", class_=f"word {verdict.tone.value}"), element("p", verdict.sentence))


def render_findings(report: ObserverReport, runbooks: str) -> Markup:
    """Return what was found, each with its meaning, its age and its runbook; `runbooks` is where those are."""
    if not report.findings:
        said = "No findings." if report.engine is not None else "Nothing is known of the engine yet."
        return element("p", said, class_="none")
    return element("ul", *(_render_finding(finding, report.observed_at, runbooks) for finding in report.findings), class_="findings")


def _render_finding(finding: Finding, now: float, runbooks: str) -> Markup:
    tone = TONES[finding.severity]
    mark = element("span", tone.mark, aria_hidden="true")
    address = runbook(finding.reason, runbooks)
    return element(
        "li",
        element("h3", mark, f" {finding.reason.value} ", element("em", finding.severity.value)),
        element("p", words.text(finding.message)),
        element("p", MEANINGS[finding.reason], class_="meaning"),
        element(
            "p",
            f"since {words.moment(finding.since, now)} ({words.span(now - finding.since)}) · ",
            element("a", f"what to do about {finding.reason.value}", href=address, rel="noreferrer", target="_blank"),
            class_="since",
        ),
        class_=tone.value,
    )
