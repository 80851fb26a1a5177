"""The engine's image with strategies of the tests' own in it, as a user makes one: a layer on top, on the same PYTHONPATH."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import commands
from cache_folder import default_cache
from lifecycle import TestCluster
from progress import Progress

FOLDER: Final = Path(__file__).parent / "strategies"
REPOSITORY: Final = "tradingbot/engine-rehearsal"


def load_strategy_image(engine: str) -> str:
    """Make the image on top of the engine's and put it into the cluster's nodes, unless they have it; return its name."""
    cache = default_cache()
    sources = "\0".join([engine, *(path.read_text() for path in sorted(FOLDER.iterdir()) if path.is_file())])
    name = f"{REPOSITORY}:{hashlib.sha256(sources.encode()).hexdigest()[:12]}"
    with cache.locked():
        cluster = TestCluster(cache, Progress())
        docker = cluster.find_docker()
        assert docker is not None, "a cluster is up, so there is an engine"
        if not docker.has_image(name):
            argv = ["docker", "build", "--quiet", "--network=none", "--build-arg", f"ENGINE={engine}", "--tag", name, str(FOLDER)]
            # The classic builder is in every Docker, BuildKit's front end isn't.
            commands.run(argv, log=cache.logs / "strategy-image.log", env={**docker.env, "DOCKER_BUILDKIT": "0"})
        cluster.put_into_nodes([name])
    return name
