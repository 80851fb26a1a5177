"""The whole page: everything known is on it, nothing that somebody else wrote can act on it, and no report is too odd for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.endpoints import HISTORY_PATH, METRICS_PATH, PAGE_STATE_PATH, REPORT_PATH, SAMPLES_PATH
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Severity
from tradingbot_contract.spec import Health
from tradingbot_observer.page.files import PageFiles
from tradingbot_observer.page.state import build_state
from tradingbot_observer.sinks.prometheus import Facts
from tradingbot_observer.sources.http import ProbeResult

ATTACK = "</span><script>document.title='taken'</script><img src=x onerror=alert(1)>\"'&<!--ring-->"
FILES = PageFiles()


class Reader(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += f"{data} "


def render(facts: Facts) -> str:
    return FILES.render(build_state(facts, Health())).decode()


def shape(page: str) -> list[str]:
    return [tag for tag, _ in Reader(page).tags]


@pytest.mark.parametrize(
    "said",
    [
        "trading/first",
        "Namespace trading",
        "Shard 1",
        "Generation 4",
        "Healthy",
        "No findings.",
        "100Mi",
        "limit 512Mi, used 19.5 %",
        "12.5 %",
        "10,150.00 USDT (+1.50 %)",
        "BTC/USDT, ETH/USDT",
        "2 s ago; the next is due",
        "connection refused",
        "✖ down",
        "5 of 7",
        "2 h 0 min",
    ],
)
def test_what_is_known_is_on_it_without_a_script(facts: Facts, said: str) -> None:
    read = re.sub(r"\s+", " ", Reader(render(facts)).said)
    assert said in read


def test_a_finding_says_what_it_means_since_when_and_where_to_read_on(facts_with: Callable[..., Facts]) -> None:
    finding = Finding(
        FindingReason.FEED_STALE, Severity.CRITICAL, "the last bar was processed 90 s ago (limit 60 s)", 1_790_000_000.0 - 125
    )
    page = Reader(render(facts_with(findings=(finding,))))
    read = re.sub(r"\s+", " ", page.said)
    assert "✖ FeedStale critical the last bar was processed 90 s ago (limit 60 s) No new prices come in" in read
    assert "since 14:11:15 UTC (2 min)" in read
    assert any(tag == "a" and str(attributes["href"]).endswith("TradingBotFeedStale.md") for tag, attributes in page.tags)


def test_an_installation_has_its_own_runbooks(facts_with: Callable[..., Facts]) -> None:
    finding = Finding(FindingReason.FEED_STALE, Severity.CRITICAL, "stale", 1_790_000_000.0)
    page = Reader(FILES.render(build_state(facts_with(findings=(finding,)), Health(), 'https://wiki.example.com/"books')).decode())
    hrefs = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert 'https://wiki.example.com/"books/TradingBotFeedStale.md' in hrefs


def test_nothing_known_is_said_as_nothing_known(facts_with: Callable[..., Facts]) -> None:
    page = render(facts_with(engine=None, sample=None, score=None, bot="", namespace="", generation=None, last_answer_at=None))
    assert "The engine has not answered yet." in page
    assert "a bot without a document" in page
    assert "None" not in Reader(page).said


def test_nothing_that_somebody_else_wrote_becomes_an_element(
    facts_with: Callable[..., Facts], engine_with: Callable[..., EngineStatus]
) -> None:
    def with_words(word: str) -> Facts:
        engine = engine_with(
            message=word, strategy=word, currency=word, document_refusal=word, memory_mode=word, memory_mode_reason=word, activity=word,
            symbols=(word, word), busy_symbols=(word, word), revision=word,
        )  # fmt: skip
        engine = msgspec.structs.replace(
            engine,
            dependencies=tuple(msgspec.structs.replace(each, name=word, message=word) for each in engine.dependencies),
            pools=tuple(msgspec.structs.replace(each, name=word) for each in engine.pools),
        )
        finding = Finding(FindingReason.ENGINE_GONE, Severity.CRITICAL, word, 1.0)
        return facts_with(engine=engine, namespace=word, bot=word, pod_uid=word, findings=(finding,))

    attacked, plain = render(with_words(ATTACK)), render(with_words("a word"))
    assert shape(attacked) == shape(plain)
    assert ATTACK in Reader(attacked).said


TEXTS = st.text(max_size=30) | st.just(ATTACK)


@given(
    report=st.builds(
        ObserverReport,
        namespace=TEXTS, bot=TEXTS, pod_uid=TEXTS,
        findings=st.lists(st.builds(Finding, message=TEXTS), max_size=3).map(tuple),
        engine=st.none() | st.builds(EngineStatus, state=st.sampled_from(EngineState), message=TEXTS),
    ),
    is_answering=st.booleans(),
)  # fmt: skip
def test_no_report_is_too_odd_to_be_shown(report: ObserverReport, is_answering: bool) -> None:
    facts = Facts(
        report=report, samples=0, probes={ProbeResult.ANSWERED: 1}, is_answering=is_answering, response_p95_seconds=None, threads=None
    )
    state = build_state(facts, Health())
    tags = Reader(FILES.render(state).decode()).tags
    assert {tag for tag, _ in tags if tag in {"script", "img", "iframe", "object", "style"}} == {"script", "style"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on") or name == "style"]
    msgspec.json.encode(state)


def test_the_policy_names_what_may_run_and_allows_nothing_from_elsewhere(facts: Facts) -> None:
    page, fields = render(facts), dict(FILES.fields)
    policy = dict(part.split(" ", 1) for part in fields["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in fields["Content-Security-Policy"]
    assert "*" not in fields["Content-Security-Policy"]
    assert policy["script-src"].startswith("'sha256-")
    addresses = [str(value) for _, attributes in Reader(page).tags for name, value in attributes.items() if name in {"src", "href"}]
    own = {REPORT_PATH, HISTORY_PATH, METRICS_PATH}
    assert all(each.split("?")[0] in own or each.startswith("data:image/svg+xml,") for each in addresses)


def test_the_script_asks_the_paths_that_there_are() -> None:
    script = render_script()
    assert f'ask("{PAGE_STATE_PATH}")' in script
    assert f"{SAMPLES_PATH}?" in script
    assert not re.search(r"https?://(?!www\.w3\.org)", script)


def render_script() -> str:
    found = re.search(r"<script>(.*?)</script>", "".join(FILES._pieces[::2]), re.DOTALL)
    assert found is not None
    return found[1]


def test_it_is_small() -> None:
    assert len("".join(FILES._pieces[::2]).encode()) < 24_000
