"""From the spec's news section to a file: news that ships with the engine, by name, or a file of one's own, by its path."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tradingbot_contract.document import SpecError
from tradingbot_engine.news.file import FIELD

_FOLDER: Final = Path(__file__).parent / "data"
DATASETS: Final[dict[str, Path]] = {"made-up-headlines": _FOLDER / "made-up-headlines.csv.gz"}


def find_news_file(data: str) -> Path:
    """Return the file that the spec means.

    Raises:
        SpecError: no news of this name ships with the engine.
    """
    if data.startswith("/"):
        return Path(data)
    path = DATASETS.get(data)
    if path is None:
        raise SpecError(f"{FIELD}: there is no news {data!r}: use {', '.join(sorted(DATASETS))}, or the absolute path of a file")
    return path
