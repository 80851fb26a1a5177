"""The dashboards as Grafana would plot them, as pages and as pictures in build/preview.

Of a Prometheus that is given, or of a small fleet that runs here for some minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

# The tests' servers and browser are also the demonstration's; they are no installed packages.
sys.path.extend(str(Path(__file__).resolve().parents[1] / "tests" / folder) for folder in ("browser", "servers", "cluster"))

from chromium import Chromium
from local_fleet import NAMESPACE, local_fleet
from tradingbot_observability.preview.__main__ import OUTPUT, write_pages
from tradingbot_observability.preview.page import WIDTH
from tradingbot_observability.preview.queries import QueryRefusedError, Window

LOCAL_SCRAPE_SECONDS: Final = 1.0
LOCAL_BOT: Final = {"namespace": NAMESPACE, "bot": "unlucky"}


def main() -> int:
    """Write pages and pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prometheus", metavar="URL", help="one that scrapes bots and operator; not given: a fleet is started here")
    parser.add_argument("--minutes", type=float, default=0.0, help="how much time is shown; 60, or 3 of the fleet that is started here")
    parser.add_argument("--scrape-seconds", type=float, default=15.0, help="how often the given Prometheus scrapes")
    parser.add_argument("--namespace", help="of the bot on the bot's dashboard")
    parser.add_argument("--bot", help="the bot on the bot's dashboard")
    given = parser.parse_args()
    console = Console(highlight=False)
    wanted = {name: value for name, value in (("namespace", given.namespace), ("bot", given.bot)) if value}
    try:
        if given.prometheus:
            window = _until_now(given.minutes or 60.0, given.scrape_seconds)
            pages = write_pages(given.prometheus, window, wanted, OUTPUT)
        else:
            pages = _of_local_fleet(console, given.minutes or 3.0, LOCAL_BOT | wanted)
    except (OSError, QueryRefusedError) as error:
        console.print(f"[red]no preview:[/] {error}")
        return 1
    for picture in take_pictures(pages):
        console.print(f"{picture}")
    return 0


def take_pictures(pages: list[Path]) -> list[Path]:
    """Return a picture of each page, beside it."""
    pictures = []
    with Chromium() as browser:
        for path in pages:
            page = browser.page(width=int(WIDTH), height=900)
            page.open(path)
            picture = path.with_suffix(".png")
            page.screenshot(picture, full_page=True)
            pictures.append(picture)
    return pictures


def _of_local_fleet(console: Console, minutes: float, wanted: dict[str, str]) -> list[Path]:
    with local_fleet(LOCAL_SCRAPE_SECONDS) as prometheus:
        for _ in track(range(int(minutes * 60)), description="four bots trade, one of them unluckily", console=console):
            time.sleep(1.0)
        return write_pages(prometheus.url, _until_now(minutes, LOCAL_SCRAPE_SECONDS), wanted, OUTPUT)


def _until_now(minutes: float, scrape_seconds: float) -> Window:
    now = time.time()
    return Window(now - minutes * 60, now, scrape_seconds)


if __name__ == "__main__":
    sys.exit(main())
