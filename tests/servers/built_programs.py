"""What tests use that is built from pinned Go modules: taken from the cache folder, and built there when it is missing."""

from __future__ import annotations

from pathlib import Path

from cache_folder import Cache, default_cache
from go_builds import GoBuilds
from progress import Progress
from steps import Runner, Step


def monitoring_crds(cache: Cache | None = None) -> dict[str, Path]:
    """Return the files with the Prometheus operator's resource definitions, by the resources' plurals."""
    cache = cache or default_cache()
    folder = _built(GoBuilds(cache).monitoring_crds, cache)
    return {path.stem: path for path in folder.glob("*.yaml")}


def collector_folder(cache: Cache | None = None) -> Path:
    """Return the folder of the OpenTelemetry collector's program."""
    cache = cache or default_cache()
    return _built(GoBuilds(cache).otelcol, cache)


def dashboard_linter(cache: Cache | None = None) -> Path:
    """Return the program that holds Grafana dashboards to rules."""
    cache = cache or default_cache()
    return _built(GoBuilds(cache).dashboard_linter, cache) / "dashboard-linter"


def _built(step: Step, cache: Cache) -> Path:
    progress = Progress()
    runner = Runner(cache, progress)
    if not runner.is_built(step):
        with cache.locked():
            runner = Runner(cache, progress)  # another run may have built it while this one waited
            return runner.result(step)
    return runner.output(step)
