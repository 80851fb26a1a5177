"""The Docker engine: the user's if the client reaches one, else one of our own.

Our own keeps all it has (data, sockets, records, logs) in the cache folder and runs
in the network namespace of the host, so a published port is on 127.0.0.1 as usual.

Invariant: an engine which we did not start is never stopped and never configured.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import commands
import debian
from cache_folder import SOURCES, Cache
from errors import UnsuitableError
from processes import Daemon

# Linux refuses a longer path for a socket.
LONGEST_SOCKET_PATH = 107
PACKAGES_BY_COMMAND = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
}


@dataclass(frozen=True)
class Docker:
    """A reachable engine: what to put into the environment of its clients."""

    own: bool
    env: dict[str, str]

    def has_image(self, name: str) -> bool:
        return commands.succeeds(["docker", "image", "inspect", "--format", "{{.Id}}", name], env=self.env)


class OwnEngine:
    """dockerd and its containerd, as two daemons of ours."""

    def __init__(self, cache: Cache) -> None:
        folder = cache.engine
        self.folder = folder
        self.socket = folder / "docker.sock"
        self._containerd_socket = folder / "containerd.sock"
        self.docker = Docker(own=True, env={"DOCKER_HOST": f"unix://{self.socket}"})
        self._containerd = Daemon("containerd", ("containerd", "--config", str(folder / "containerd.toml")), folder)
        self._dockerd = Daemon("dockerd", ("dockerd", "--config-file", str(folder / "dockerd.json")), folder)

    def is_running(self) -> bool:
        return self._dockerd.pid() is not None and self._containerd.pid() is not None

    def pids(self) -> str:
        return f"dockerd {self._dockerd.pid()}, containerd {self._containerd.pid()}"

    def start(self, log: Path) -> None:
        """Start the engine, installing what it needs; nothing to do if it runs already."""
        if self.is_running():
            return
        self.stop()  # one of the two may have died alone
        self._refuse_what_cannot_work()
        debian.install_missing(PACKAGES_BY_COMMAND, log)
        self._write_configuration()
        os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{debian.SYSTEM_PATH}"
        self._containerd.start(lambda: commands.succeeds(["ctr", "--address", str(self._containerd_socket), "version"]), 30)
        self._dockerd.start(lambda: reaches_engine(self.docker.env), 60)

    def stop(self) -> bool:
        """Stop what we started; true if something was running."""
        stopped = [self._dockerd.stop(), self._containerd.stop()]
        for leftover in ("docker.sock", "dockerd.pid", "containerd.sock", "containerd.sock.ttrpc"):
            (self.folder / leftover).unlink(missing_ok=True)
        for mount in reversed(_mounts_below(self.folder)):  # what an engine leaves, so the cache can be removed
            commands.output(["umount", mount])
        return any(stopped)

    def _refuse_what_cannot_work(self) -> None:
        if os.geteuid() != 0:
            raise UnsuitableError(
                "no Docker engine answers, and starting one takes root. Start Docker (or give this user access to it), or run this as root."
            )
        if len(str(self._containerd_socket)) > LONGEST_SOCKET_PATH:
            raise UnsuitableError(f"the path {self._containerd_socket} is too long; set TRADINGBOT_CACHE to a shorter one")
        other = _engine_in_this_network_namespace()
        if other:
            raise UnsuitableError(
                f"a Docker engine (process {other}) runs here, but the docker client does not reach it. Two engines "
                "in one network would delete each other's firewall rules: set DOCKER_HOST so that "
                "`docker version` works, or stop that engine."
            )

    def _write_configuration(self) -> None:
        folder = self.folder
        runtime = folder / "runc-within-bounds"
        body = (SOURCES / "runc_within_bounds.py").read_text()
        runtime.write_text(f"#!{sys.executable} -IS\n{body}")
        runtime.chmod(0o755)
        (folder / "containerd.toml").write_text(
            "version = 2\n"
            f'root = "{folder}/containerd"\n'
            f'state = "{folder}/containerd-state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\n  address = "{self._containerd_socket}"\n'
        )
        (folder / "dockerd.json").write_text(
            json.dumps(
                {
                    "data-root": f"{folder}/data",
                    "exec-root": f"{folder}/exec",
                    "pidfile": f"{folder}/dockerd.pid",
                    "hosts": [f"unix://{self.socket}"],
                    "containerd": str(self._containerd_socket),
                    "bridge": "none",  # kind makes a network of its own, builds need none
                    "runtimes": {"runc-within-bounds": {"path": str(runtime)}},
                    "default-runtime": "runc-within-bounds",
                },
                indent=2,
            )
        )


def reaches_engine(env: dict[str, str]) -> bool:
    if not shutil.which("docker"):
        return False
    question = ["docker", "version", "--format", "{{.Server.Version}}"]
    return commands.succeeds(question, env=env, timeout_seconds=5)


def users_docker(own: OwnEngine) -> Docker | None:
    """The engine that plain `docker` reaches in the user's environment, if it is not ours."""
    host = os.environ.get("DOCKER_HOST", "")
    env = {} if host == own.docker.env["DOCKER_HOST"] or not host else {"DOCKER_HOST": host}
    if host and not env:
        os.environ.pop("DOCKER_HOST")  # set by `eval "$(cluster.py env)"`: that is our own
    return Docker(own=False, env=env) if reaches_engine(env) else None


def find_docker(own: OwnEngine) -> Docker | None:
    """The engine in use: ours while it runs, else the user's."""
    return own.docker if own.is_running() else users_docker(own)


def _mounts_below(folder: Path) -> list[str]:
    """Mount points in the order in which they were mounted."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = (line.split()[4].replace("\\040", " ") for line in lines)
    return [point for point in points if point.startswith(f"{folder}/")]


def _engine_in_this_network_namespace() -> int | None:
    ours = Path("/proc/self/ns/net").readlink()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if (process / "comm").read_text().strip() == "dockerd" and (process / "ns/net").readlink() == ours:
                return int(process.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked, or is not ours to look at
    return None
