"""Where a model's folder is: on disk already, or on a hub from where it is fetched once.

Fetching is a process of its own: it can be ended at once when the engine stops, and its memory goes with it. A model that was fetched
before is used as it is: a bot does not change its mind because somebody has uploaded another model.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tradingbot_contract.resources import Model
from tradingbot_engine.prediction.fetch import EXIT_MODEL
from tradingbot_engine.prediction.model_folder import ModelError, read_model_folder
from tradingbot_engine.unavailable import UnavailableError

_FOLDER: Final = "models"


class ModelHub:
    """Finds models; `data` is the bot's own folder."""

    def __init__(self, data: Path, environment: Mapping[str, str]) -> None:
        self._environment = {**environment, "HF_HOME": environment.get("HF_HOME") or str(data / _FOLDER)}
        cache = environment.get("HF_HUB_CACHE")
        self._cache = Path(cache) if cache else Path(self._environment["HF_HOME"]) / "hub"

    async def locate(self, model: Model) -> Path:
        """Return the folder of a model.

        Raises:
            ModelError: there is no such model.
            UnavailableError: the hub can't be reached now.
        """
        if model.source.startswith("/"):
            return Path(model.source)
        found = self._find_fetched(model)
        return await self._fetch(model) if found is None else found

    def _find_fetched(self, model: Model) -> Path | None:
        repository = self._cache / f"models--{model.source.replace('/', '--')}"
        try:
            revision = (repository / "refs" / "main").read_text(encoding="ascii").strip()
        except OSError:
            return None
        folder = repository / "snapshots" / revision
        try:
            read_model_folder(folder, model.file)
        except ModelError:
            return None  # not all of it, or another file of weights: fetching completes it, or says what is wrong
        return folder

    async def _fetch(self, model: Model) -> Path:
        arguments = [model.source] if model.file is None else [model.source, model.file]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tradingbot_engine.prediction.fetch",
            *arguments,
            env={**self._environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == 0:
            return Path(output.decode().splitlines()[-1])
        reason = (errors.decode(errors="replace").strip() or f"the download ended with {process.returncode}").splitlines()[-1]
        if process.returncode == EXIT_MODEL:
            raise ModelError(reason)
        raise UnavailableError(f"{model.source} can't be fetched: {reason}")
