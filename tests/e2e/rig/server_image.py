"""One image with Postgres and Redis, for pods beside the bots under test: made of Debian's packages, without an image registry.

The programs are those that the tests on this machine run, so they run with this machine's C library, which is in the image, too. There is a
shell, because initdb needs one, and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import commands
from cache_folder import Cache, default_cache
from docker_engine import Docker
from file_trees import make_skeleton
from image_archive import Image, pack_layer, write_archive
from lifecycle import TestCluster
from progress import Progress

from server_binaries import POSTGRES, REDIS, find_binaries

REPOSITORY: Final = "tradingbot/test-servers"
UID: Final = 65534
"""The one user that the image knows besides root: initdb asks for the name of its own."""

_LIBRARIES: Final = "usr/lib/servers"
_PROGRAMS: Final = ("initdb", "pg_isready", "postgres")
_PLUGINS: Final = ("dict_snowball.so", "plpgsql.so")
_LOADED: Final = re.compile(r"(?:=> |^\s+)(/\S+) \(0x", re.MULTILINE)

Files = dict[str, Path]
"""What is copied, by its place in the image."""


def load_server_image() -> str:
    """Make the image and put it into the cluster's nodes, unless they have it; return its name."""
    cache = default_cache()
    with cache.locked():
        cluster = TestCluster(cache, Progress())
        docker = cluster.find_docker()
        assert docker is not None, "a cluster is up, so there is an engine"
        files = dict(_find_files(cache))
        name = f"{REPOSITORY}:{_key(files)}"
        if not docker.has_image(name):
            _build(name, files, docker, cache)
        cluster.put_into_nodes([name])
    return name


def _find_files(cache: Cache) -> Iterator[tuple[str, Path]]:
    """Yield every file of the image."""
    postgres, redis = (find_binaries(suite, cache=cache, from_machine=False) for suite in (POSTGRES, REDIS))
    assert postgres.tree is not None
    assert redis.tree is not None
    version = postgres.folder.parent  # .../usr/lib/postgresql/17
    shell = Path("/bin/sh").resolve()
    programs = [*(postgres.folder / name for name in _PROGRAMS), *(version / "lib" / name for name in _PLUGINS)]
    for path in (*programs, *_below(postgres.tree / "usr/share/postgresql" / version.name)):
        yield str(path.relative_to(postgres.tree)), path
    server = (redis.folder / "redis-server").resolve()
    yield "usr/bin/redis-server", server
    yield "usr/bin/sh", shell
    # Debian's Postgres has no time zones of its own, and its clients ask for this one.
    yield "usr/share/zoneinfo/UTC", Path("/usr/share/zoneinfo/UTC").resolve()
    # Postgres and Redis each find theirs in the packages that came with them; a library that both have is the same one.
    for binaries, opened in ((postgres, programs), (redis, [server, shell])):
        listed = commands.output(["ldd", *opened], env=binaries.environment())
        for library in map(Path, sorted(set(_LOADED.findall(listed)))):
            is_loader = library.name.startswith("ld-")
            yield (f"usr{library}" if is_loader else f"{_LIBRARIES}/{library.name}"), library.resolve()


def _below(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _key(files: Files) -> str:
    told = [f"{place}\0{path.stat().st_size}\0{int(path.stat().st_mtime)}" for place, path in sorted(files.items())]
    return hashlib.sha256("\n".join([*told, Path(__file__).read_text()]).encode()).hexdigest()[:12]


def _build(name: str, files: Files, docker: Docker, cache: Cache) -> None:
    """Make the image and give it to the engine."""
    with tempfile.TemporaryDirectory(prefix="server-image-", dir=cache.root) as folder:
        root, archive = Path(folder) / "root", Path(folder) / "image.tar"
        make_skeleton(root)
        for place, path in files.items():
            target = root / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        (programs,) = {str(Path(place).parent) for place in files if place.endswith("/initdb")}
        environment = [f"PATH=/{programs}:/usr/bin", f"LD_LIBRARY_PATH=/{_LIBRARIES}", "LC_ALL=C"]
        layer = pack_layer(root, Path(folder) / "layer.tar")
        write_archive(archive, [Image(f"docker.io/{name}", (layer,), {"Env": environment, "User": f"{UID}:{UID}"})])
        commands.run(["docker", "load", "--input", archive], log=cache.logs / "server-image.log", env=docker.env)
