"""Debian packages: those this machine lacks, and file trees made of packages.

Invariant: installing a package here never starts a service, and nothing that was
on the machine before is replaced.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import commands
from errors import CommandFailedError, UnsuitableError
from steps import Step, Work

LANE = "debian"
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")
LOCK_PATIENCE = "DPkg::Lock::Timeout=300"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What nobody reads in an image. /usr/share/doc holds the licences too, which is fine
# for images that are made and used on one machine and never handed on.
UNREAD = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "var/log")

_one_installation = threading.Lock()


def find_command(name: str) -> str | None:
    """Where a command is, also if it is in a folder for administrators only."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")


def install_missing(packages_by_command: dict[str, str], log: Path) -> list[str]:
    """Install the packages whose commands are not there; the names of what was installed."""
    missing = sorted({package for command, package in packages_by_command.items() if not find_command(command)})
    if not missing:
        return []
    reason = _why_not_installable()
    if reason:
        raise UnsuitableError(f"{', '.join(missing)} must be installed: {reason}")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", LOCK_PATIENCE, *missing]
    with _one_installation, _no_services_started():
        try:
            commands.run(install, log=log, env=environment)
        except CommandFailedError:  # most often the package lists are too old or not there yet
            commands.run(["apt-get", "update"], log=log, env=environment)
            commands.run(install, log=log, env=environment)
    return missing


def _why_not_installable() -> str:
    if os.geteuid() != 0:
        return "run this as root, or install them yourself"
    if not shutil.which("apt-get"):
        return "this is not Debian; install them with your package manager"
    return ""


@contextlib.contextmanager
def _no_services_started() -> Iterator[None]:
    """Packages of daemons start them at once, unless this policy file forbids it."""
    try:
        with SERVICE_POLICY.open("x") as policy:
            policy.write("#!/bin/sh\nexit 101\n")
    except FileExistsError:
        yield  # the machine has a policy of its own: leave it alone
        return
    try:
        SERVICE_POLICY.chmod(0o755)
        yield
    finally:
        SERVICE_POLICY.unlink()


def tree_step(name: str, suite: str, packages: Sequence[str], package_cache: Path) -> Step:
    """A file tree of a Debian release with these packages, made by debootstrap."""

    def build(work: Work) -> None:
        install_missing({"debootstrap": "debootstrap"}, work.log)
        package_cache.mkdir(exist_ok=True)
        argv: list[str | Path] = [
            # A mount namespace of its own: an interrupted run leaves nothing mounted in the tree.
            "nice", "-n", "10", "unshare", "--mount",
            "debootstrap", "--variant=minbase", f"--cache-dir={package_cache}", f"--include={','.join(packages)}",
            suite, work.output / "tree",
        ]  # fmt: skip
        mirror = _mirror()
        # Every file is flushed to disk by dpkg otherwise, which takes half of the time;
        # a tree that a power cut spoils was not renamed to its final name yet.
        environment = {"PATH": SYSTEM_PATH, "DPKG_FORCE": "unsafe-io"}
        commands.run(argv + ([mirror] if mirror else []), log=work.log, env=environment)
        for folder in (*UNREAD, "var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(work.output / "tree" / folder, ignore_errors=True)

    return Step(name=name, lane=LANE, build=build, texts=(suite, *packages, *UNREAD))


def _mirror() -> str | None:
    """The mirror that this machine gets Debian from; debootstrap knows one if there is none."""
    if not shutil.which("apt-get"):
        return None
    wanted = ["Created-By: Packages", "Component: main", "Origin: Debian", "Label: Debian"]
    listed = commands.output(["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted])
    return next(iter(listed.split()), None)
