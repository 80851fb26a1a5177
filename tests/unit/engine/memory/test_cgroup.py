from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from tradingbot_engine.memory.cgroup import Cgroup, find_memory_cgroup

V1 = "35 31 0:32 {root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
V2 = "41 31 0:38 {root} /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("membership", "mounts", "found"),
    [
        ("4:memory:/a/b\n0::/\n", V1.format(root="/") + V2.format(root="/"), (1, "/sys/fs/cgroup/memory", "a/b")),
        ("4:cpu,memory:/a/b\n", V1.format(root="/a"), (1, "/sys/fs/cgroup/memory", "b")),
        ("4:memory:/a/b\n", V1.format(root="/a/b"), (1, "/sys/fs/cgroup/memory", "")),
        ("4:memory:/a:b\n", V1.format(root="/"), (1, "/sys/fs/cgroup/memory", "a:b")),
        ("0::/a\n", V2.format(root="/"), (2, "/sys/fs/cgroup", "a")),
        ("0::/\n", V2.format(root="/"), (2, "/sys/fs/cgroup", "")),
        # A process outside of the namespace in which the mount was made, and the other way about: what is shown stands for it.
        ("0::/../../system.slice\n", V2.format(root="/"), (2, "/sys/fs/cgroup", "")),
        ("0::/a\n", V2.format(root="/other"), (2, "/sys/fs/cgroup", "")),
        ("0::/\n", V2.format(root="/../.."), (2, "/sys/fs/cgroup", "")),
        # The memory controller is on v1 and not mounted: what v2 says of the same process is all there is.
        ("4:memory:/a\n0::/b\n", V2.format(root="/"), (2, "/sys/fs/cgroup", "b")),
        ("0::/\n", V2.format(root="/").replace("/sys/fs/cgroup", "/mnt/c\\040g"), (2, "/mnt/c g", "")),
        ("3:cpu:/\n", V1.format(root="/"), None),
        ("0::/\n", "", None),
        ("", V2.format(root="/"), None),
    ],
)
def test_where_the_figures_are(membership: str, mounts: str, found: tuple[int, str, str] | None) -> None:
    expected = None if found is None else Cgroup(found[0], PurePosixPath(found[1]), PurePosixPath(found[2]))
    assert find_memory_cgroup(membership, mounts) == expected


def test_of_two_mounts_the_one_that_shows_the_process() -> None:
    mounts = V1.format(root="/other").replace("/sys/fs/cgroup", "/mnt") + V1.format(root="/a")
    assert find_memory_cgroup("4:memory:/a/b\n", mounts) == Cgroup(1, PurePosixPath("/sys/fs/cgroup/memory"), PurePosixPath("b"))


def test_from_the_innermost_to_the_outermost() -> None:
    cgroup = Cgroup(2, PurePosixPath("/sys/fs/cgroup"), PurePosixPath("a/b"))
    assert [str(folder) for folder in cgroup.folders()] == ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]
    assert Cgroup(2, PurePosixPath("/sys/fs/cgroup"), PurePosixPath()).folders() == (PurePosixPath("/sys/fs/cgroup"),)
