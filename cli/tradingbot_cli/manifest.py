"""From a file of manifests to the one bot in it, with messages that name the file and the field.

The file is what ``kubectl apply -f`` takes: several documents may stand in it, of which those that are no TradingBot are passed over.
"""

from __future__ import annotations

from typing import IO, Any, Final

import click
import yaml

from tradingbot_cli.errors import RefusedError
from tradingbot_contract.bounded_yaml import UNREADABLE, check_depth
from tradingbot_contract.document import Activity, EngineDocument, SpecError
from tradingbot_operator.desired.document import Orders, build_document
from tradingbot_operator.operations import LifecycleState
from tradingbot_operator.resource import KIND, TradingBot, parse_bot

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MANIFEST: Final = click.argument("manifest", type=click.File(encoding="utf-8"))
"""The argument of commands that take a file."""


def read_manifest(manifest: IO[str]) -> str:
    """Return the text of a file.

    Raises:
        RefusedError: it is no text.
    """
    try:
        return manifest.read()
    except UnicodeDecodeError as error:
        raise RefusedError(f"{manifest.name}: is no text in UTF-8 ({error.reason} at byte {error.start})") from error


def parse_bots(text: str, source: str) -> list[TradingBot]:
    """Return the bots of a file's text; `source` is what messages call it.

    Raises:
        RefusedError: it is no YAML, holds no bot, or one that can't be run as it stands.
    """
    try:
        check_depth(text)
        documents = [document for document in yaml.load_all(text, Loader=_LOADER) if document is not None]
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise RefusedError(f"{source}{line}: no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise RefusedError(f"{source}: no YAML: {error}") from error
    except UNREADABLE as error:
        raise RefusedError(f"{source}: a value in it can't be read: {error}") from error
    bodies = [document for document in documents if _kind(document) == KIND]
    if not bodies:
        found = ", ".join(sorted({_kind(document) or "something without a kind" for document in documents})) or "nothing"
        raise RefusedError(f"{source}: no {KIND} in it, but {found}")
    return [_parse(body, source, number if len(bodies) > 1 else None) for number, body in enumerate(bodies, start=1)]


def choose_bot(bots: list[TradingBot], name: str | None, source: str) -> TradingBot:
    """Return the bot of this name, or the only one.

    Raises:
        RefusedError: there is no such bot, or no name to choose by.
    """
    names = ", ".join(bot.metadata.name for bot in bots)
    if name is None and len(bots) > 1:
        raise RefusedError(f"{source}: {len(bots)} bots in it: choose one with --name ({names})")
    for bot in bots:
        if name in {None, bot.metadata.name}:
            return bot
    raise RefusedError(f"{source}: no bot {name!r} in it, but {names}")


def _parse(body: dict[str, Any], source: str, number: int | None) -> TradingBot:
    try:
        return parse_bot(body)
    except SpecError as error:
        metadata = body.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        which = "" if number is None else f" ({name or f'bot {number}'})"
        raise RefusedError(f"{source}{which}: {error}") from error


def _kind(document: object) -> str:
    return str(document.get("kind", "")) if isinstance(document, dict) else ""


def plan_run(bot: TradingBot, source: str) -> EngineDocument:
    """Return what one engine on this machine is told: all symbols of the bot, and what `spec.lifecycle.state` allows.

    Raises:
        RefusedError: the bot is not to run.
    """
    state = bot.spec.lifecycle.state
    if state is LifecycleState.STOPPED:
        raise RefusedError(f"{source}: spec.lifecycle.state is Stopped, so {bot.metadata.name} is not to run: set it to Running")
    activity = Activity.PAUSE if state is LifecycleState.PAUSED else Activity.TRADE
    return build_document(bot, orders=Orders(symbols=tuple(bot.spec.market.symbols), activity=activity))
