"""``python -m tradingbot_observer``: reads its arguments, wires sources, watch and pages, and runs until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

from tradingbot_contract.endpoints import CONFIG_DIRECTORY, CONFIG_FILE, ENGINE_PORT, ENV_CONFIG, ENV_POD_UID, ENV_RUNBOOKS, OBSERVER_PORT
from tradingbot_contract.log import configure_log
from tradingbot_contract.serving import PageServer
from tradingbot_observer.page.meanings import RUNBOOKS
from tradingbot_observer.sinks.pages import build_pages, build_query_pages
from tradingbot_observer.sinks.prometheus import Exposition
from tradingbot_observer.sources.document import WatchedDocument
from tradingbot_observer.sources.http import EngineAddress
from tradingbot_observer.sources.memory_limit import MemoryLimit
from tradingbot_observer.sources.process import EngineProcess
from tradingbot_observer.watch import Watch

_logger = logging.getLogger("tradingbot_observer")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line; what it doesn't say comes from the environment and the contract."""
    parser = argparse.ArgumentParser(
        prog="python -m tradingbot_observer", description="Watches an engine from outside and publishes its health."
    )
    default_config = os.environ.get(ENV_CONFIG, f"{CONFIG_DIRECTORY}/{CONFIG_FILE}")
    parser.add_argument("--config", type=Path, default=Path(default_config), help="the engine's document (default: %(default)s)")
    parser.add_argument(
        "--engine-url",
        type=EngineAddress.parse,
        default=f"http://127.0.0.1:{ENGINE_PORT}",
        help="the engine's pages (default: %(default)s)",
    )
    parser.add_argument("--engine-pid", type=int, help="the engine's process (default: the one that runs the engine's module)")
    parser.add_argument("--engine-command", default="", help="without a pid: only a process whose command line holds this text")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (default: %(default)s)")  # noqa: S104 - the operator asks from outside the pod
    parser.add_argument("--port", type=int, default=OBSERVER_PORT, help="port to listen on (default: %(default)s)")
    parsed = parser.parse_args(arguments)
    try:
        parsed.memory_limit = MemoryLimit(os.environ)
    except ValueError as error:
        parser.error(str(error))
    return parsed


async def serve(arguments: argparse.Namespace) -> int:
    """Watch and answer until SIGTERM or SIGINT; return the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watch = Watch(
        document=WatchedDocument(arguments.config),
        process=EngineProcess(arguments.engine_pid, arguments.engine_command),
        address=arguments.engine_url,
        memory_limit=arguments.memory_limit,
        pod_uid=os.environ.get(ENV_POD_UID, ""),
        runbooks=os.environ.get(ENV_RUNBOOKS) or RUNBOOKS,
    )
    server = PageServer(
        build_pages(Exposition(watch.facts).render, watch.page_state),
        queries=build_query_pages(watch.report, watch.acknowledgement, watch.summarise, watch.points),
    )
    try:
        port = await server.start(arguments.host, arguments.port)
    except OSError as error:
        _logger.error("can't listen on %s port %d: %s", arguments.host, arguments.port, error.strerror)  # noqa: TRY400 - not a bug
        return 1
    _logger.info("watching http://%s:%d, pages on port %d", arguments.engine_url.host, arguments.engine_url.port, port)
    watching = asyncio.create_task(watch.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (watching, stopping):
        task.cancel()
    await server.stop()
    with contextlib.suppress(asyncio.CancelledError):
        await watching  # a loop that failed is a bug, and surfaces here
    return 0


def main() -> int:
    """Run; return the exit code."""
    configure_log()
    return asyncio.run(serve(parse_arguments()))


if __name__ == "__main__":
    sys.exit(main())
