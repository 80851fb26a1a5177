"""The observer's page as a person sees it: a real engine, a real observer, a real browser."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Iterator

import pytest
from observer_rig import Rig

from chromium import Chromium, Page
from tradingbot_contract.document import EngineDocument, render_document
from tradingbot_contract.endpoints import ENV_MEMORY_LIMIT, ENV_POD_UID, ENV_RUNBOOKS
from tradingbot_contract.report import ObserverReport

PLOTS = 5
"""Every measure but the hit ratio, as nobody looks anything up in a cache here."""
CONTRAST = """
(() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => [red, green, blue].map(each => each / 255)
    .map(each => each <= .03928 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4)
    .reduce((sum, each, at) => sum + each * [.2126, .7152, .0722][at], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const wrong = [];
  for (const element of document.querySelectorAll("body *")) {
    const said = [...element.childNodes].filter(node => node.nodeType === 3 && node.data.trim());
    if (!said.length || !element.getClientRects().length || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    const [one, other] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    const ratio = (one + .05) / (other + .05);
    if (ratio < 4.5) wrong.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}: ${said[0].data.trim()}`);
  }
  return wrong;
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


@pytest.fixture
def url(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(ENV_MEMORY_LIMIT, str(2**29))
    monkeypatch.setenv(ENV_POD_UID, "0d6a3c1e-6a1c-4f3e-9d57-6f2f7c1f5a11")
    monkeypatch.setenv(ENV_RUNBOOKS, "https://wiki.example.com/runbooks")
    return f"http://127.0.0.1:{rig.observer_port}/"


def measured(report: ObserverReport) -> bool:
    return report.score is not None and report.samples > 3 and report.sample is not None and report.sample.error_percent is not None


def drawn(tab: Page) -> int:
    return int(tab.evaluate("document.querySelectorAll('svg.plot path:nth-of-type(2)[d^=M]').length"))


def test_a_well_engine_is_seen_at_a_glance_and_one_that_stops_within_seconds(rig: Rig, url: str, browser: Chromium) -> None:
    engine = rig.start_engine()
    rig.start_observer()
    rig.eventually("the engine is measured", measured)
    tab = browser.page()
    tab.open(url)
    tab.wait_for(f"document.querySelectorAll('svg.plot').length === {PLOTS}")

    assert "Healthy" in tab.text("[data-slot=verdict]")
    assert tab.text("h1") == "first"
    assert tab.evaluate("document.title") == "✓ Healthy · trading/first"
    assert tab.text("[data-slot=findings]") == "No findings."
    assert "limit 512Mi" in tab.text("[data-slot=memory_bytes-limit]")
    assert "USD" in tab.text("[data-slot=trading]")
    assert drawn(tab) == PLOTS
    assert tab.evaluate("document.querySelector('[data-plot=memory_bytes] .bound') !== null"), "its limit is drawn"

    tab.evaluate("document.querySelector('h1').dataset.kept = 'yes'")
    engine.send_signal(signal.SIGSTOP)
    tab.wait_for("document.body.dataset.tone === 'critical'")
    assert "Critical" in tab.text("[data-slot=verdict]")
    assert "EngineSilent" in tab.text("[data-slot=findings]")
    link = "document.querySelector('[data-slot=findings] a').href"
    assert tab.evaluate(link) == "https://wiki.example.com/runbooks/TradingBotUnhealthy.md"
    # A question that is still under way when it counts as silent: that it got no answer is known a moment later.
    tab.wait_for("document.querySelector('[data-slot=trading]').textContent.includes('It does not answer now')")
    assert tab.evaluate("document.title").startswith("✖ Critical")
    engine.send_signal(signal.SIGCONT)
    tab.wait_for("!document.querySelector('[data-slot=findings]').textContent.includes('EngineSilent')")
    assert tab.evaluate("document.querySelector('h1').dataset.kept") == "yes", "it was not loaded anew"

    tab.evaluate("document.querySelector('[data-hours=\"24\"]').click()")
    tab.wait_for("document.querySelector('svg.plot').getAttribute('aria-label').startsWith('1 day')")
    assert tab.evaluate("document.querySelector('[aria-pressed=true]').textContent") == "1 day"
    assert tab.errors == []
    assert {request.removeprefix(url).partition("?")[0] for request in tab.requests} == {"", "page", "history/samples"}


def test_an_observer_that_goes_away_is_said_and_what_is_shown_is_old(rig: Rig, url: str, browser: Chromium) -> None:
    observer = rig.start_observer()
    rig.eventually("it answers", lambda _report: True)
    tab = browser.page()
    tab.open(url)
    observer.kill()
    observer.wait()
    tab.wait_for("!document.querySelector('#lost').hidden")
    assert "has not answered" in tab.text("#lost")
    rig.start_observer()
    tab.wait_for("document.querySelector('#lost').hidden")


@pytest.mark.parametrize(("width", "dark"), [(320, False), (390, True), (1280, False), (1280, True)])
def test_it_can_be_read_on_a_phone_and_on_a_desk_in_light_and_dark(
    rig: Rig, url: str, browser: Chromium, width: int, *, dark: bool
) -> None:
    rig.start_observer()  # alone: something is wrong and much is unknown
    rig.eventually("it answers", lambda _report: True)
    tab = browser.page(width=width, height=844, dark=dark, phone=width < 500)
    tab.open(url)
    tab.wait_for("document.querySelectorAll('figure:not([hidden])').length > 0")
    assert tab.evaluate("document.documentElement.scrollWidth") == width, "nothing is wider than the screen"
    assert tab.evaluate(CONTRAST) == []
    assert tab.evaluate("document.querySelectorAll('main, header, footer, h1').length") == 4
    unnamed = "[...document.querySelectorAll('section, button, [role=group]')].filter(each => !(each.textContent || each.ariaLabel))"
    assert tab.evaluate(f"{unnamed}.length") == 0


def test_what_an_engine_says_of_itself_cannot_act_on_the_page(rig: Rig, url: str, browser: Chromium, made: EngineDocument) -> None:
    attack = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
    rig.write(render_document(made) + f'"{attack}": 1\n')
    rig.start_engine()
    rig.start_observer()
    rig.eventually("the document is refused", lambda report: any(attack[:20] in finding.message for finding in report.findings))
    tab = browser.page()
    tab.open(url)
    tab.wait_for("document.querySelectorAll('figure:not([hidden])').length > 0")
    assert attack in tab.text("[data-slot=findings]")
    assert tab.evaluate("document.querySelectorAll('img').length") == 0
    assert "taken" not in tab.evaluate("document.title")
    assert tab.errors == []


def test_nothing_can_be_changed_and_without_scripts_the_facts_are_there(rig: Rig, url: str, browser: Chromium) -> None:
    rig.start_observer()
    rig.eventually("it answers", lambda _report: True)
    connection = http.client.HTTPConnection("127.0.0.1", rig.observer_port, timeout=60)
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for path in ("/", "/page", "/history/samples"):
            connection.request(method, path)
            answer = connection.getresponse()
            assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
            answer.read()
    connection.request("HEAD", "/")
    answer = connection.getresponse()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert answer.read() == b""
    connection.close()

    tab = browser.page()
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(url)
    dom = tab.call("DOM.getOuterHTML", nodeId=tab.call("DOM.getDocument", depth=-1)["root"]["nodeId"])["outerHTML"]
    assert "The engine has not answered yet." in dom
    assert "Namespace </b>trading" in dom
    assert tab.requests == [url]
