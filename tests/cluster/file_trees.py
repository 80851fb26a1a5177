"""Small file trees for images, put together from files of a Debian tree."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import commands
from debian import SYSTEM_PATH

# Debian's /bin, /lib and so on are links into /usr.
MERGED_FOLDERS = ("bin", "lib", "lib64", "sbin")


def make_skeleton(root: Path) -> None:
    """The folders that programs take for granted."""
    for folder in ("etc", "run", "tmp", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for folder in MERGED_FOLDERS:
        link = root / folder
        if not link.is_symlink():
            link.symlink_to(f"usr/{folder}")
    (root / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")


def copy_paths(tree: Path, names: Iterable[str], root: Path) -> None:
    """Copy files, links and folders (with what is in them), named by absolute paths, if they are there."""
    for name in names:
        source = tree / name.lstrip("/")
        target = root / name.lstrip("/")
        if target.exists() or target.is_symlink():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.exists():
            shutil.copy2(source, target)


def copy_libraries(tree: Path, programs: Iterable[str], root: Path) -> None:
    """Copy the shared libraries that programs or plugins of the tree ask for."""
    argv = ["chroot", str(tree), "/usr/bin/ldd", *programs]
    listed = commands.output(argv, env={"PATH": SYSTEM_PATH, "LC_ALL": "C"})
    for name in sorted(set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, re.MULTILINE))):
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(_resolve(tree, name), target)


def _resolve(tree: Path, name: str) -> Path:
    """A file of the tree, where links are followed as if the tree were the root folder."""
    path = tree / name.lstrip("/")
    for _ in range(10):
        if not path.is_symlink():
            return path
        link = path.readlink()
        path = tree / str(link).lstrip("/") if link.is_absolute() else path.parent / link
    raise FileNotFoundError(f"{name} in {tree} is a link that leads in circles")
