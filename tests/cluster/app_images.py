"""Our own images, built from the Dockerfile at the root, each when its content changed.

An image gets two tags: IMAGE_TAG (dev), which moves, and a hash of all that is in it,
which doesn't. Whoever deploys the second never runs a stale image.

Invariant: the build itself reaches no network. Dependencies are staged before, from
requirements/*.txt with their hashes.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import commands
from cache_folder import REPOSITORY, Cache
from docker_engine import Docker
from errors import ClusterError
from steps import digest_files

PYTHON_VERSION = "3.13"
STAGED = Path("build/images")


@dataclass(frozen=True)
class AppImage:
    """One target of the Dockerfile."""

    target: str
    packages: tuple[str, ...]
    base: AppImage | None = None
    """The image that this one is a layer on top of."""
    in_cluster: bool = True
    """Whether the cluster's nodes get it."""

    @property
    def repository(self) -> str:
        return f"tradingbot/{self.target}"

    @property
    def moving_name(self) -> str:
        return f"{self.repository}:{os.environ.get('IMAGE_TAG') or 'dev'}"

    @property
    def requirements(self) -> Path:
        return REPOSITORY / "requirements" / f"{self.target}.txt"

    @property
    def site_packages(self) -> Path:
        return REPOSITORY / STAGED / self.target / "site-packages"

    def key(self, python_base: str) -> str:
        """A hash of everything that the image is made of."""
        sources = [REPOSITORY / package for package in self.packages]
        requirements = [image.requirements for image in (self.base, self) if image]
        files = digest_files([REPOSITORY / "Dockerfile", *requirements, *sources])
        return hashlib.sha256(f"{python_base}\0{files}".encode()).hexdigest()[:16]

    def fixed_name(self, python_base: str) -> str:
        return f"{self.repository}:{self.key(python_base)}"


OPERATOR = AppImage("operator", ("engine/tradingbot_contract", "operator/tradingbot_operator"))
ENGINE = AppImage("engine", ("engine/tradingbot_contract", "engine/tradingbot_engine", "engine/tradingbot_observer"))
# Large, and no test in the cluster needs a model: it is built and tried, not loaded.
ENGINE_SENTIMENT = AppImage("engine-sentiment", ENGINE.packages, base=ENGINE, in_cluster=False)
# In the order of the Dockerfile: the classic builder runs all stages before the target.
APP_IMAGES = (OPERATOR, ENGINE, ENGINE_SENTIMENT)


def stage_dependencies(image: AppImage, cache: Cache, log: Path) -> None:
    """Put the image's dependencies where the Dockerfile takes them from, unless they are there."""
    if not image.requirements.is_file():
        raise ClusterError(f"{image.requirements} is missing; `make requirements` writes it")
    folder = image.site_packages.parent
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256(f"{PYTHON_VERSION} {_wheels()}\n".encode() + image.requirements.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted and image.site_packages.is_dir():
        return
    unfinished = folder / "unfinished"
    for leftover in (stamp, unfinished, image.site_packages):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    commands.run(
        [
            _uv(cache), "pip", "install", "--quiet", "--target", unfinished, "--python-version", PYTHON_VERSION,
            "--python-platform", _wheels(), "--only-binary", ":all:", "--require-hashes", "--no-deps",
            "--requirements", image.requirements,
        ],
        log=log,
        env={"UV_LINK_MODE": "copy"},
    )  # fmt: skip
    shutil.rmtree(unfinished / "bin", ignore_errors=True)  # scripts that name a Python of this machine
    unfinished.rename(image.site_packages)
    stamp.write_text(wanted)


def build(image: AppImage, docker: Docker, python_base: str, log: Path) -> None:
    """Build the image, with only the files in its context that its stages copy."""
    staged = [str(built.site_packages.relative_to(REPOSITORY)) for built in up_to(image)]
    packages = sorted({package for built in up_to(image) for package in built.packages})
    context = ["tar", "--directory", str(REPOSITORY), "--exclude=__pycache__", "--create", "Dockerfile", *staged, *packages]
    names = [word for name in (image.fixed_name(python_base), image.moving_name) for word in ("--tag", name)]
    argv = [
        "docker", "build", "--quiet", "--network=none", "--target", image.target,
        "--build-arg", f"PYTHON_BASE={python_base}", *names, "-",
    ]  # fmt: skip
    # The classic builder is in every Docker, BuildKit's front end isn't.
    commands.pipe(context, argv, log=log, env={**docker.env, "DOCKER_BUILDKIT": "0"})


def up_to(image: AppImage) -> tuple[AppImage, ...]:
    """The images whose stages are run when this one is built: it, and those before it."""
    return APP_IMAGES[: APP_IMAGES.index(image) + 1]


def _wheels() -> str:
    return f"{platform.machine()}-manylinux_2_28"


def _uv(cache: Cache) -> str:
    """uv as the Makefile names it, or the one that the Makefile has installed earlier."""
    named = os.environ.get("UV") or shutil.which("uv")
    installed = sorted(cache.root.glob("uv-*/bin/uv"), key=lambda path: path.stat().st_mtime)
    if named:
        return named
    if installed:
        return str(installed[-1])
    raise ClusterError("uv is not there; run this through make (`make images`), which installs it, or set UV")
