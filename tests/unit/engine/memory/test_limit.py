"""Usage and limit in the layouts of cgroups that engines meet; see layouts/README.md."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tradingbot_contract.endpoints import ENV_MEMORY_LIMIT
from tradingbot_engine.memory.limit import ContainerMemory, MemoryReading
from tradingbot_engine.telemetry.process import read_memory_bytes

LAYOUTS = Path(__file__).parent / "layouts"


def lay_out(name: str, root: Path) -> Path:
    """Write the files of a layout below `root`."""
    for part in (LAYOUTS / f"{name}.txt").read_text().split("== ")[1:]:
        path, _, text = part.partition("\n")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize(
    ("layout", "used_bytes", "limit_bytes"),
    [
        # The container's limit counts for the process that systemd has put into a cgroup of its own, and so does the container's usage.
        ("docker-v1", 1015271424 - 490655744 - 33611776, 2147483648),
        ("host-v1", 26009600 - 20480 - 520192, None),
        ("kubernetes-v1-burstable", 8749056 - 4096 - 4096, 178257920),
        ("docker-v2", 61341696 - 10485760 - 4194304, 268435456),
        ("docker-v2-host-namespace", 61341696 - 10485760 - 4194304, 268435456),
        ("host-v2", 2147483648 - 1000000000 - 47483648, 8589934592),
        ("kubernetes-v2-burstable", 402653184 - 201326592 - 92274688, 536870912),
        ("kubernetes-v2-unlimited", 104857600 - 4194304 - 1048576, None),
        ("nested-v2", 100000000 - 20000000 - 5000000, 134217728),
    ],
)
def test_what_a_process_may_take_and_has_taken(tmp_path: Path, layout: str, used_bytes: int, limit_bytes: int | None) -> None:
    memory = ContainerMemory({}, lay_out(layout, tmp_path))
    assert memory.read() == MemoryReading(used_bytes, limit_bytes)


@pytest.mark.parametrize(
    ("told", "limit_bytes"),
    [("536870912", 536870912), ("512Mi", None), ("", None), ("0", None), ("-1", None)],
)
def test_where_no_cgroup_has_a_limit_what_the_pod_was_told_counts(tmp_path: Path, told: str, limit_bytes: int | None) -> None:
    memory = ContainerMemory({ENV_MEMORY_LIMIT: told}, lay_out("kubernetes-v2-unlimited", tmp_path))
    assert memory.read_limit_bytes() == limit_bytes


def test_the_cgroup_wins_over_what_the_pod_was_told(tmp_path: Path) -> None:
    memory = ContainerMemory({ENV_MEMORY_LIMIT: "999"}, lay_out("kubernetes-v2-burstable", tmp_path))
    assert memory.read_limit_bytes() == 536870912


def test_a_change_in_place_is_in_the_next_reading(tmp_path: Path) -> None:
    memory = ContainerMemory({}, lay_out("kubernetes-v2-burstable", tmp_path))
    assert memory.read_limit_bytes() == 536870912
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("268435456\n")
    (tmp_path / "sys/fs/cgroup/memory.current").write_text("300000000\n")
    assert memory.read() == MemoryReading(300000000 - 201326592 - 92274688, 268435456)


def test_a_process_that_is_moved_goes_by_its_new_cgroup(tmp_path: Path) -> None:
    memory = ContainerMemory({}, lay_out("nested-v2", tmp_path))
    assert memory.read_limit_bytes() == 134217728
    (tmp_path / "proc/self/cgroup").write_text("0::/workers\n")
    assert memory.read() == MemoryReading(300000000, 536870912)


@pytest.mark.parametrize("missing", ["memory.current", "memory.max", "memory.stat"])
def test_what_can_not_be_read_is_unknown(tmp_path: Path, missing: str) -> None:
    memory = ContainerMemory({}, lay_out("docker-v2", tmp_path))
    (tmp_path / "sys/fs/cgroup" / missing).unlink()
    reading = memory.read()
    assert reading.limit_bytes == (None if missing == "memory.max" else 268435456)
    assert reading.used_bytes == (None if missing == "memory.current" else 61341696 - (0 if missing == "memory.stat" else 14680064))


def test_without_cgroups_the_process_counts_alone(tmp_path: Path) -> None:
    folder = tmp_path / "proc/self"
    folder.mkdir(parents=True)
    folder.joinpath("cgroup").write_text("0::/\n")
    folder.joinpath("mountinfo").write_text("24 1 0:22 / /sys rw - sysfs sysfs rw\n")
    folder.joinpath("statm").write_text("5000 2500 100 1 0 900 0\n")
    assert ContainerMemory({ENV_MEMORY_LIMIT: "536870912"}, tmp_path).read() == MemoryReading(2500 * resource.getpagesize(), 536870912)


def test_where_nothing_is_known_nothing_is_said(tmp_path: Path) -> None:
    assert ContainerMemory({}, tmp_path).read() == MemoryReading(None, None)


def test_of_this_process() -> None:
    reading = ContainerMemory({}).read()
    assert reading.used_bytes is not None
    assert reading.used_bytes > 0
    assert reading.limit_bytes is None or reading.limit_bytes > read_memory_bytes() // 4
