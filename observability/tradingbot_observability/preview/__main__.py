"""Writes a page for each dashboard from what a Prometheus has now: ``python -m tradingbot_observability.preview URL``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from tradingbot_observability.generate import FILES, ROOT
from tradingbot_observability.preview.dashboard import choose, read_dashboard, render
from tradingbot_observability.preview.queries import PrometheusClient, QueryRefusedError, Window

DASHBOARDS: Final = ROOT / FILES / "dashboards"
OUTPUT: Final = ROOT / "build" / "preview"


def write_pages(url: str, window: Window, wanted: dict[str, str], folder: Path = OUTPUT) -> list[Path]:
    """Write a page for each dashboard and return their paths."""
    client = PrometheusClient(url)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = read_dashboard(path)
        names = {variable["name"] for variable in dashboard["templating"]["list"]}
        # The operator's own namespace is another one than that of the bots.
        chosen = {name: value for name, value in wanted.items() if name in names and path.stem == "bot"}
        page = folder / f"{path.stem}.html"
        page.write_text(render(client, dashboard, window, choose(client, dashboard, window, chosen)))
        written.append(page)
    return written


def main() -> int:
    """Write the pages; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tradingbot_observability.preview", description=__doc__)
    parser.add_argument("url", help="address of a Prometheus that scrapes bots and operator, for example http://localhost:9090")
    parser.add_argument("--minutes", type=float, default=60.0, help="how much time is shown")
    parser.add_argument("--scrape-seconds", type=float, default=15.0, help="how often this Prometheus scrapes")
    parser.add_argument("--namespace", help="of the bot on the bot's dashboard; not given: the first")
    parser.add_argument("--bot", help="the bot on the bot's dashboard; not given: the first")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the pages")
    given = parser.parse_args()
    now = time.time()
    window = Window(now - given.minutes * 60, now, given.scrape_seconds)
    wanted = {name: value for name, value in (("namespace", given.namespace), ("bot", given.bot)) if value}
    try:
        pages = write_pages(given.url, window, wanted, given.output)
    except (OSError, QueryRefusedError) as error:
        sys.stderr.write(f"{given.url}: {error}\n")
        return 1
    for page in pages:
        sys.stdout.write(f"{page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
