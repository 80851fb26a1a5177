"""Writes container images without a container engine.

An archive is at once an OCI layout (containerd imports it) and what `docker save`
writes (every Docker loads it): the same blobs with two tables of contents. So an
image has the same id everywhere.

Invariant: equal files give equal bytes (times and owners are fixed, names sorted), so
a layer that two images share is stored once.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
DEFAULT_ENV = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",)
CREATED = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Blob:
    """Content-addressed bytes, in memory or in a file."""

    digest: str
    size: int
    content: bytes | Path


@dataclass(frozen=True)
class Image:
    name: str  # with registry and tag, as containerd wants it
    layers: tuple[Blob, ...]
    config: Mapping[str, Any]  # Env, Entrypoint, Cmd, ... as in the OCI image configuration


def pack_layer(root: Path, layer: Path) -> Blob:
    """A layer with everything below `root`, owned by root, written to `layer`."""
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(root)), recursive=False, filter=_plain)
    return file_blob(layer)


def file_blob(path: Path) -> Blob:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Blob(f"sha256:{digest}", path.stat().st_size, path)


def bytes_blob(content: bytes) -> Blob:
    return Blob(f"sha256:{hashlib.sha256(content).hexdigest()}", len(content), content)


def json_blob(content: object) -> Blob:
    return bytes_blob(json.dumps(content, sort_keys=True).encode())


def config_blob(image: Image) -> Blob:
    """The image's configuration; its digest is the image id."""
    settings: dict[str, Any] = {"Env": list(DEFAULT_ENV), **image.config}
    return json_blob(
        {
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "created": CREATED,
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in image.layers]},
            "history": [{"created": CREATED, "created_by": "tests/cluster"} for _ in image.layers],
        }
    )


def write_archive(path: Path, images: Sequence[Image]) -> None:
    """One archive with all the images."""
    with tarfile.open(path, "w") as tar:
        ArchiveWriter(tar).write({image.name: (config_blob(image), image.layers) for image in images})


class ArchiveWriter:
    """Writes blobs, each once, and then the two tables of contents."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._written: set[str] = set()

    def write(self, images: Mapping[str, tuple[Blob, Sequence[Blob]]]) -> None:
        """`images` maps a name to the image's configuration and layers; layers may be left out with `skip`."""
        manifests, saved = [], []
        for name, (config, layers) in images.items():
            manifest = json_blob(
                {
                    "schemaVersion": 2,
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
                    "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer) for layer in layers],
                }
            )
            for blob in (manifest, config, *layers):
                self._add_blob(blob)
            names = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
            manifests.append({**_descriptor("application/vnd.oci.image.manifest.v1+json", manifest), "annotations": names})
            saved.append({"RepoTags": [name], "Config": _blob_path(config), "Layers": [_blob_path(layer) for layer in layers]})
        self._add("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        self._add("index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())
        self._add("manifest.json", json.dumps(saved).encode())

    def leave_out(self, digests: set[str]) -> None:
        """Blobs which the receiver has already."""
        self._written |= digests

    def _add_blob(self, blob: Blob) -> None:
        if blob.digest in self._written:
            return
        self._written.add(blob.digest)
        if isinstance(blob.content, bytes):
            self._add(_blob_path(blob), blob.content)
            return
        with blob.content.open("rb") as file:
            entry = tarfile.TarInfo(_blob_path(blob))
            entry.size = blob.size
            self._tar.addfile(entry, file)

    def _add(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))


def _descriptor(media_type: str, blob: Blob) -> dict[str, object]:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size}


def _blob_path(blob: Blob) -> str:
    return "blobs/" + blob.digest.replace(":", "/")


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
