"""The image that our own images start from: Python on Debian, and nothing else.

Where image registries cannot be reached, it takes the place of `python:3.13-slim`.
It is made of the files of the packages that Python needs, so it has no shell, no
package manager and no libraries that nobody asked for.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import commands
import debian
from cache_folder import SOURCES, Cache
from docker_engine import Docker
from file_trees import copy_paths, make_skeleton
from image_archive import Image, pack_layer, write_archive
from steps import Step, Work

PUBLISHED_IMAGE = "python:3.13-slim"
IMAGE = "docker.io/tradingbot/python-base"
SUITE = "trixie"
PYTHON = "python3.13"
# The last two are what binary wheels take for granted.
PACKAGES = ("ca-certificates", "python3", "libgcc-s1", "libstdc++6")
# Packages that Python's packages depend on, but that a running Python never opens.
LEFT_OUT = frozenset(
    {
        "debconf",
        "dpkg",
        "libdb5.3t64",
        "libdebconfclient0",
        "openssl",
        "openssl-provider-legacy",
        "perl-base",
        "readline-common",
        "tar",
    }
)
# What only developers use, and conversions between character sets outside of Python.
UNUSED = (
    "usr/bin/py3*",
    "usr/bin/py*gettext3*",
    "usr/lib/*-linux-gnu/gconv",
    "usr/lib/valgrind",
    "usr/lib/python3.13/test",
    "usr/lib/python3.13/idlelib",
    "usr/lib/python3.13/tkinter",
    "usr/lib/python3.13/turtledemo",
    "usr/lib/python3.13/ensurepip",
    "usr/lib/python3.13/pydoc_data",
    "usr/lib/python3.13/config-*",
    "usr/share/python3",
    "usr/share/perl5",
    "usr/share/bash-completion",
    "usr/share/bug",
    "usr/share/doc-base",
    "usr/share/gcc",
    "usr/share/gdb",
    "usr/share/menu",
    "usr/share/applications",
    "usr/share/pixmaps",
    "usr/share/binfmts",
    "usr/share/debconf",
    "usr/share/zoneinfo/right",
    "usr/share/zoneinfo/posix",
)
# Made when packages are set up, so no package lists them; the last one says where the
# certificates are and belongs to the package of the openssl program, which is left out.
ALSO = ("/etc/ld.so.cache", "/etc/ssl/certs", "/etc/ca-certificates.conf", "/usr/lib/ssl")


class PythonBase:
    """The steps that make the image, and how to get it into an engine."""

    def __init__(self, cache: Cache) -> None:
        self.tree = debian.tree_step("python tree", SUITE, PACKAGES, cache.root / "debian-packages")
        self.base = Step(
            name="python base",
            lane="images",
            build=self._build,
            files=(SOURCES / "python_base.py", SOURCES / "image_archive.py", SOURCES / "file_trees.py"),
            needs=(self.tree,),
        )

    @property
    def name(self) -> str:
        return f"{IMAGE}:{self.base.key}"

    @staticmethod
    def archive_in(output: Path) -> Path:
        return output / "python-base.tar"

    def load(self, output: Path, docker: Docker, log: Path) -> None:
        """Make the image known to the engine, which builds our own images from it."""
        if not docker.has_image(self.name):
            commands.run(["docker", "load", "--input", self.archive_in(output)], log=log, env=docker.env)

    def _build(self, work: Work) -> None:
        tree = work.needs[self.tree.name] / "tree"
        root = work.output / "root"
        make_skeleton(root)
        for package in sorted(_needed_packages(tree)):
            copy_paths(tree, _files_of(tree, package), root)
        copy_paths(tree, ALSO, root)
        for pattern in (*UNUSED, *debian.UNREAD):
            for unused in root.glob(pattern):
                shutil.rmtree(unused) if unused.is_dir() else unused.unlink()
        # Debian compiles against file times, which a layer doesn't keep.
        compile_library = [PYTHON, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", f"/usr/lib/{PYTHON}"]
        environment = {"PATH": debian.SYSTEM_PATH, "PYTHONDONTWRITEBYTECODE": ""}
        commands.run(["chroot", root, *compile_library], log=work.log, env=environment)
        layer = pack_layer(root, work.output / "layer.tar")
        environment_of_image = ["PATH=/usr/bin:/usr/sbin", "LANG=C.UTF-8"]
        image = Image(self.name, (layer,), {"Env": environment_of_image, "Cmd": ["python3"]})
        write_archive(self.archive_in(work.output), [image])
        shutil.rmtree(root)
        (work.output / "layer.tar").unlink()


def _needed_packages(tree: Path) -> set[str]:
    """The packages we want and all that they depend on, but those that are left out."""
    needs, providers = _read_status(tree)
    found: set[str] = set()
    waiting = list(PACKAGES)
    while waiting:
        name = waiting.pop()
        if name in LEFT_OUT:
            continue
        package = name if name in needs else providers.get(name)
        if package is None or package in found or package in LEFT_OUT:
            continue
        found.add(package)
        waiting += needs[package]
    return found


def _read_status(tree: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """dpkg's record: what each package needs, and who provides a virtual package."""
    needs: dict[str, list[str]] = {}
    providers: dict[str, str] = {}
    for paragraph in (tree / "var/lib/dpkg/status").read_text().split("\n\n"):
        fields = dict(re.findall(r"^(Package|Depends|Pre-Depends|Provides): (.*)$", paragraph, re.MULTILINE))
        if "Package" not in fields:
            continue
        package = fields["Package"]
        depends = f"{fields.get('Depends', '')},{fields.get('Pre-Depends', '')}"
        # Alternatives (a | b) all count: only those that are installed have a record.
        needs[package] = re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]*)", depends)
        for virtual in re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9+.-]*)", fields.get("Provides", "")):
            providers.setdefault(virtual, package)
    return needs, providers


def _files_of(tree: Path, package: str) -> list[str]:
    listing = next(
        path
        for path in (tree / "var/lib/dpkg/info").glob(f"{package}*.list")
        if path.name.removesuffix(".list").partition(":")[0] == package
    )
    return [name for name in listing.read_text().splitlines() if not (tree / name.lstrip("/")).is_dir()]
