"""Puts images from the engine into the nodes' containerd.

`kind load` copies every layer each time. Most of the layers of our images are in the
nodes already (the Python base is preloaded, dependencies change rarely), so only what
a node lacks is sent: of a change of code, a few hundred kilobytes. This knows how our
own engine and nodes store images; with the user's engine `kind load` is used instead.

Invariant: afterwards every node has exactly the engine's image under that name.
"""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import commands
from docker_engine import Docker
from errors import CommandFailedError
from image_archive import ArchiveWriter, Blob, bytes_blob, file_blob


class Loader:
    """Loads into the nodes of one cluster."""

    def __init__(self, docker: Docker, nodes: Sequence[str], log: Path) -> None:
        self._docker = docker
        self._nodes = nodes
        self._log = log

    def load(self, names: Sequence[str]) -> bool:
        """Make the nodes have these names of one image; false if they have them already."""
        image_id = self._engine_id(names[0])
        with ThreadPoolExecutor() as pool:
            present = list(pool.map(lambda node: self._has(node, names, image_id), self._nodes))
            lacking = [node for node, has in zip(self._nodes, present, strict=True) if not has]
            if not lacking:
                return False
            stored = list(pool.map(self._blobs, lacking))
            with tempfile.TemporaryDirectory(dir=self._log.parent) as folder:
                archive = Path(folder) / "missing.tar"
                # A layer that one of the nodes lacks is sent to all of them.
                self._write_archive(names, set.intersection(*stored), archive)
                for done in [pool.submit(self._import, node, archive) for node in lacking]:
                    done.result()
        return True

    def _engine_id(self, name: str) -> str:
        return commands.output(["docker", "image", "inspect", "--format", "{{.Id}}", name], env=self._docker.env).strip()

    def _has(self, node: str, names: Sequence[str], image_id: str) -> bool:
        try:
            return all(self._node_id(node, name) == image_id for name in names)
        except CommandFailedError:
            return False  # crictl's answer to "is it there" is an error if it isn't

    def _node_id(self, node: str, name: str) -> str:
        printed = commands.output(["docker", "exec", node, "crictl", "inspecti", f"docker.io/{name}"], env=self._docker.env)
        found: str = json.loads(printed)["status"]["id"]
        return found

    def _blobs(self, node: str) -> set[str]:
        """Digests of what the node's containerd has; our layers are stored uncompressed."""
        argv = ["docker", "exec", node, "ctr", "--namespace=k8s.io", "content", "list", "--quiet"]
        return set(commands.output(argv, env=self._docker.env).split())

    def _write_archive(self, names: Sequence[str], stored: set[str], archive: Path) -> None:
        folder = archive.parent
        saved = folder / "saved.tar"
        commands.run(["docker", "save", "--output", saved, names[0]], log=self._log, env=self._docker.env)
        with tarfile.open(saved) as tar:
            contents = json.load(_member(tar, "manifest.json"))[0]
            config = bytes_blob(_member(tar, contents["Config"]).read())
            digests: list[str] = json.loads(bytes(config.content))["rootfs"]["diff_ids"]
            layers = []
            for position, (digest, name) in enumerate(zip(digests, contents["Layers"], strict=True)):
                if digest in stored:
                    layers.append(Blob(digest, tar.getmember(name).size, b""))
                    continue
                path = folder / f"{position}.layer"
                with path.open("wb") as target:
                    shutil.copyfileobj(_member(tar, name), target, 1 << 20)
                layers.append(file_blob(path))
        with tarfile.open(archive, "w") as tar:
            writer = ArchiveWriter(tar)
            writer.leave_out(stored)
            writer.write({f"docker.io/{name}": (config, layers) for name in names})

    def _import(self, node: str, archive: Path) -> None:
        argv = ["docker", "exec", "--interactive", node, "ctr", "--namespace=k8s.io", "images", "import", "--digests", "-"]
        with archive.open("rb") as stream:
            commands.run(argv, log=self._log, env=self._docker.env, stdin=stream)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise FileNotFoundError(f"{name} in the output of `docker save` is no file")
    return file
