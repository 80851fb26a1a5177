"""Starts an engine: command line, environment, log, signals. Everything else is elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from tradingbot_contract.endpoints import (
    CONFIG_DIRECTORY,
    CONFIG_FILE,
    DATA_DIRECTORY,
    ENGINE_PORT,
    ENV_CONFIG,
    ENV_DATA,
)
from tradingbot_contract.log import configure_log
from tradingbot_engine.engine import Engine
from tradingbot_engine.memory.limit import ContainerMemory
from tradingbot_engine.readings import build_readings
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.surroundings import Surroundings
from tradingbot_engine.telemetry.metrics import Telemetry
from tradingbot_engine.telemetry.resource import read_resource


def _parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tradingbot-engine", description="Trades for one shard of one bot.")
    default_config = os.environ.get(ENV_CONFIG) or str(Path(CONFIG_DIRECTORY) / CONFIG_FILE)
    parser.add_argument("--config", type=Path, default=Path(default_config), help=f"the engine's document ({ENV_CONFIG}; %(default)s)")
    default_data = os.environ.get(ENV_DATA) or DATA_DIRECTORY
    parser.add_argument("--data", type=Path, default=Path(default_data), help=f"folder of the journal ({ENV_DATA}; %(default)s)")
    parser.add_argument("--host", default="0.0.0.0", help="address to serve on (%(default)s)")  # noqa: S104 - a pod's own address isn't known
    parser.add_argument("--port", type=int, default=ENGINE_PORT, help="port to serve on, 0 for any (%(default)s)")
    parser.add_argument("--exit-when-refused", action="store_true", help="leave with 78 when the document can't be run, instead of waiting")
    parser.add_argument("--exit-when-finished", action="store_true", help="leave when the feed has ended, instead of staying up")
    return parser.parse_args(arguments)


async def _run(arguments: argparse.Namespace) -> int:
    facts = EngineFacts()
    telemetry = Telemetry(read_resource(arguments.config, os.environ))
    memory = ContainerMemory(os.environ)
    telemetry.observe(build_readings(facts, memory.read_limit_bytes))
    around = Surroundings(
        config=arguments.config,
        data=arguments.data,
        environment=os.environ,
        memory=memory,
        telemetry=telemetry,
        counts=facts.counts,
        lag=facts.lag,
    )
    engine = Engine(around, facts)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.stop)
    try:
        code = await engine.run(
            arguments.host,
            arguments.port,
            exit_when_refused=arguments.exit_when_refused,
            exit_when_finished=arguments.exit_when_finished,
        )
    finally:
        telemetry.shutdown()
    if code and facts.message:
        sys.stderr.write(f"{facts.message}\n")
    return code


def main() -> None:
    configure_log()
    sys.exit(asyncio.run(_run(_parse_arguments(sys.argv[1:]))))


if __name__ == "__main__":
    main()
