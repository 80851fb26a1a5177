"""kind, kubectl and helm: the user's own if they fit, else built, in one folder for PATH."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import commands
from cache_folder import Cache
from go_builds import kubernetes_version
from steps import Runner, Step


class Tools:
    """The folder `bin` in the cache; it holds links to what was built last."""

    def __init__(self, cache: Cache, runner: Runner) -> None:
        self._folder = cache.tools
        self._runner = runner

    def find_or_build(self, program: str, step: Step, fits: Callable[[str], bool] | None = None) -> str:
        """The user's own program if it is there and fits, else one that we build."""
        own = shutil.which(program)
        if own and Path(own).parent != self._folder and (fits is None or fits(own)):
            (self._folder / program).unlink(missing_ok=True)
            return own
        return self.link(program, self._runner.result(step))

    def link(self, program: str, built_in: Path) -> str:
        """Put a program that was built into the folder."""
        link = self._folder / program
        unfinished = link.with_name(f".{program}")
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(built_in / program)
        unfinished.rename(link)
        return str(link)


def kubectl_fits(kubectl: str) -> bool:
    """kubectl works with API servers at most one minor version away."""
    printed = commands.output([kubectl, "version", "--client", "--output=json"])
    version = json.loads(printed)["clientVersion"]
    cluster_minor = int(kubernetes_version().split(".")[1])
    minor = re.match(r"\d+", version["minor"])
    return version["major"] == "1" and minor is not None and abs(int(minor[0]) - cluster_minor) <= 1
