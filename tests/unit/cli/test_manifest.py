from __future__ import annotations

import pytest

from tradingbot_cli.errors import EXIT_REFUSED, RefusedError
from tradingbot_cli.manifest import choose_bot, parse_bots, plan_run
from tradingbot_contract.document import Activity

BOT = """\
apiVersion: tradingbot.dev/v1alpha1
kind: TradingBot
metadata: {name: first}
spec:
  strategy: {name: ema-cross}
  market: {symbols: [AAPL]}
"""
OTHER = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\n"


def test_one_bot() -> None:
    (bot,) = parse_bots(BOT, "bot.yaml")
    assert bot.metadata.name == "first"
    assert choose_bot([bot], None, "bot.yaml") is bot


def test_a_bot_among_other_resources() -> None:
    bots = parse_bots(f"---\n{OTHER}---\n---\n{BOT}---\n", "all.yaml")
    assert [bot.metadata.name for bot in bots] == ["first"]


def test_several_bots_are_chosen_from_by_name() -> None:
    bots = parse_bots(f"{BOT}---\n{BOT.replace('first', 'second')}", "two.yaml")
    assert choose_bot(bots, "second", "two.yaml").metadata.name == "second"
    with pytest.raises(RefusedError, match=r"two\.yaml: 2 bots in it: choose one with --name \(first, second\)"):
        choose_bot(bots, None, "two.yaml")
    with pytest.raises(RefusedError, match=r"two\.yaml: no bot 'third' in it, but first, second"):
        choose_bot(bots, "third", "two.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bot.yaml: no TradingBot in it, but nothing"),
        (OTHER, "bot.yaml: no TradingBot in it, but Secret"),
        ("just words", "bot.yaml: no TradingBot in it, but something without a kind"),
        ("kind: TradingBot\nspec: [\n", "bot.yaml:3: no YAML:"),
        ("a: \x00", "bot.yaml: no YAML:"),
        (BOT.replace("v1alpha1", "v9"), "bot.yaml: this is a TradingBot of tradingbot.dev/v9"),
        (BOT.replace("[AAPL]", "AAPL"), "bot.yaml: spec.market.symbols: Expected `array`, got `str`"),
        (BOT.replace("symbols", "symbol"), "bot.yaml: spec.market: Object contains unknown field `symbol`"),
        (f"{BOT}  health: {{score: {{warning: 90}}}}\n", "bot.yaml: spec.health.score: must be in order: critical < warning < unhealthy"),
        (BOT.replace("name: first", "name: First"), "bot.yaml: metadata.name must be"),
        (f"{BOT}---\n{BOT.replace('[AAPL]', '[]')}", "bot.yaml (first): spec.market.symbols:"),
        (f"{BOT}---\nkind: TradingBot\n", "bot.yaml (bot 2): apiVersion is missing: it must be tradingbot.dev/v1alpha1"),
    ],
)
def test_what_is_wrong_is_said_with_its_file_and_field(text: str, message: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_bots(text, "bot.yaml")
    assert caught.value.message.startswith(message)
    assert caught.value.exit_code == EXIT_REFUSED


@pytest.mark.parametrize(("state", "activity"), [("Running", Activity.TRADE), ("Paused", Activity.PAUSE)])
def test_what_the_lifecycle_allows_holds_without_a_cluster_too(state: str, activity: Activity) -> None:
    (bot,) = parse_bots(f"{BOT}  lifecycle: {{state: {state}}}\n", "bot.yaml")
    document = plan_run(bot, "bot.yaml")
    assert (document.activity, document.market.symbols) == (activity, ["AAPL"])


def test_a_bot_that_is_stopped_is_not_run() -> None:
    (bot,) = parse_bots(f"{BOT}  lifecycle: {{state: Stopped}}\n", "bot.yaml")
    with pytest.raises(RefusedError, match=r"bot\.yaml: spec\.lifecycle\.state is Stopped, so first is not to run: set it to Running"):
        plan_run(bot, "bot.yaml")
