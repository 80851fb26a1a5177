"""Which memory cgroup a process is in, from what the kernel says of its cgroups and mounts. Pure.

The process's own path is one of the whole hierarchy, the mount shows a part of it: a container of cgroup v1 is told the path on its node
(`/kubepods/burstable/pod…/…`) and sees that very folder as the root of its mount; one of v2 has a namespace of its own and is told `/`.
Taken together, the part of the path below the mount's root is a folder below the mount.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

_OCTAL = re.compile(r"\\([0-7]{3})")


class Cgroup(NamedTuple):
    """Where the figures of a process's memory are, and those of what holds it."""

    version: int
    """1 or 2."""
    mount: PurePosixPath
    """The outermost that can be seen."""
    inside: PurePosixPath
    """Relative to `mount`; empty for the mount itself."""

    def folders(self) -> tuple[PurePosixPath, ...]:
        """Return the cgroup's own folder, then each that holds it, up to the mount."""
        folder = self.mount / self.inside
        return tuple(candidate for candidate in (folder, *folder.parents) if candidate.is_relative_to(self.mount))


class _Mount(NamedTuple):
    root: PurePosixPath
    point: PurePosixPath
    kind: str
    options: tuple[str, ...]


def find_memory_cgroup(membership: str, mounts: str) -> Cgroup | None:
    """Return the cgroup that `/proc/<pid>/cgroup` and `/proc/<pid>/mountinfo` speak of; None if there is none or it isn't mounted.

    Where v1 has the memory controller it counts, although v2 is mounted beside it (a hybrid system).
    """
    paths = dict(_parse_membership(membership))
    mounted = list(_parse_mounts(mounts))
    if "memory" in paths:
        own = _choose([mount for mount in mounted if mount.kind == "cgroup" and "memory" in mount.options], paths["memory"])
        if own is not None:
            return Cgroup(1, *own)
    if "" in paths:
        own = _choose([mount for mount in mounted if mount.kind == "cgroup2"], paths[""])
        if own is not None:
            return Cgroup(2, *own)
    return None


def _parse_membership(text: str) -> Iterator[tuple[str, PurePosixPath]]:
    """Yield each controller with its path; v2 has the empty name."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, PurePosixPath(path)


def _parse_mounts(text: str) -> Iterator[_Mount]:
    """Yield the mounts of cgroups (proc(5), mountinfo)."""
    for line in text.splitlines():
        place, _, filesystem = line.partition(" - ")
        kind, _source, options = filesystem.split(" ", 2)
        if kind in {"cgroup", "cgroup2"}:
            _id, _parent, _device, root, point, *_ = place.split(" ")
            yield _Mount(_path(root), _path(point), kind, tuple(options.split(",")))


def _path(text: str) -> PurePosixPath:
    return PurePosixPath(_OCTAL.sub(lambda found: chr(int(found[1], 8)), text))


def _choose(mounts: list[_Mount], path: PurePosixPath) -> tuple[PurePosixPath, PurePosixPath] | None:
    """Return the mount that shows the path, and what of the path is below it.

    A path outside of all of them (`/../…`, or a node's path in a container with a namespace of its own) can't be seen: the root that
    is shown stands for it.
    """
    for mount in mounts:
        if ".." not in path.parts and path.is_relative_to(mount.root):
            return mount.point, path.relative_to(mount.root)
    return (mounts[0].point, PurePosixPath()) if mounts else None
