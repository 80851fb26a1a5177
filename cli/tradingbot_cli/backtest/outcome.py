"""One bot from its manifest to its result: its document, its prices, its play, and holding beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from msgspec import Struct

from tradingbot_cli.backtest.hold import hold
from tradingbot_cli.backtest.plan import Span, plan_backtest, with_prices
from tradingbot_cli.backtest.play import Progress, play
from tradingbot_cli.backtest.price_file import FILE_NAME, write_part
from tradingbot_cli.backtest.result import Backtest, Curves, build_backtest, build_curves
from tradingbot_cli.data_folder import DataFolder
from tradingbot_cli.errors import FailedError, RefusedError
from tradingbot_cli.manifest import plan_run
from tradingbot_cli.strategy_code import add_strategy_code
from tradingbot_contract.document import EngineDocument, SpecError
from tradingbot_engine.feed.dataset import load_prices
from tradingbot_engine.unavailable import UnavailableError
from tradingbot_operator.resource import TradingBot

_CODE_FOLDER: Final = "strategy"


class Source(Struct, frozen=True):
    """A file of manifests."""

    text: str
    name: str


class Wishes(Struct, frozen=True):
    """What the command line asks for."""

    span: Span = Span()
    cash: float | None = None
    """None: what the manifest says."""


class Outcome(Struct, frozen=True):
    """What came of one bot."""

    document: EngineDocument
    backtest: Backtest
    curves: Curves


def run_backtest(bot: TradingBot, source: Source, folder: DataFolder, wishes: Wishes, progress: Progress) -> Outcome:
    """Play a bot; its journal is in the folder afterwards.

    Raises:
        RefusedError: the manifest, or what was asked for, can't be played.
        FailedError: something that it needs is missing now.
    """
    document = plan_backtest(plan_run(bot, source.name), cash=wishes.cash)
    environment = add_strategy_code(os.environ, document.strategy, source.text, Path(source.name), folder.path / _CODE_FOLDER)
    try:
        prices = load_prices(document.market)
        if not wishes.span.is_whole:
            part = (folder.path / FILE_NAME).resolve()
            write_part(prices, wishes.span, part)
            document = with_prices(document, str(part))
            prices = load_prices(document.market)
        folder.write(document)
        played = play(folder, prices.steps, environment, progress)
    except SpecError as error:
        raise RefusedError(f"{source.name}: spec.{error}") from error
    except UnavailableError as error:
        raise FailedError(f"{source.name}: {error}") from error
    curves = build_curves(played, hold(prices, document.broker.paper, played.initial_equity, played.steps))
    return Outcome(document, build_backtest(document, played, curves), curves)
