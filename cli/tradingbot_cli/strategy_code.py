"""Where the code of a bot's own strategy is, when no cluster mounts it.

In this order: the folder that the environment names; a ConfigMap in the manifest's own file; a file beside the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tradingbot_contract.endpoints import ENV_STRATEGY
from tradingbot_contract.spec import Strategy, StrategyKey

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def add_strategy_code(environment: Mapping[str, str], strategy: Strategy, text: str, manifest: Path, folder: Path) -> dict[str, str]:
    """Return the environment for an engine that is to find the code; what the manifest's file holds of it is written into `folder`."""
    found = dict(environment)
    key = strategy.own_module
    if key is None or environment.get(ENV_STRATEGY):
        return found
    code = _find_in_text(text, key)
    if code is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key.key).write_text(code)
        return found | {ENV_STRATEGY: str(folder)}
    beside = manifest.resolve().parent
    return found | {ENV_STRATEGY: str(beside)} if (beside / key.key).is_file() else found


def _find_in_text(text: str, key: StrategyKey) -> str | None:
    documents: list[Any] = [each for each in yaml.load_all(text, Loader=_LOADER) if isinstance(each, dict)]
    for each in documents:
        metadata, data = each.get("metadata"), each.get("data")
        if each.get("kind") == "ConfigMap" and isinstance(metadata, dict) and metadata.get("name") == key.name and isinstance(data, dict):
            code = data.get(key.key)
            return code if isinstance(code, str) else None
    return None
