"""Tells cheaply whether a file is as it was: by what the system knows of it, without reading it.

A mounted ConfigMap changes by swapping symbolic links, so that another file stands under the same path; an editor may write in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class FileVersion(NamedTuple):
    """Which file stands under a path, and in which state."""

    device: int
    inode: int
    modified_ns: int
    size: int

    def is_other_file_than(self, other: FileVersion | None) -> bool:
        """Whether another file took the place of that one, so that it is complete; one that was written in place may not be."""
        return other is None or (self.device, self.inode) != (other.device, other.inode)


def read_file_version(path: Path) -> FileVersion:
    """Return what stands under the path now.

    Raises:
        OSError: there is no file, or nothing can be known of it.
    """
    found = path.stat()
    return FileVersion(found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
