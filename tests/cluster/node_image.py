"""The image that a kind node runs, built from Debian packages and our own Go programs.

It is what kind expects of a published node image (see docs/design/0002): a Debian
with systemd, containerd and the Kubernetes node programs, in whose containerd the
images of the control plane are waiting already, so a node pulls nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import commands
import debian
from cache_folder import SOURCES, Cache
from docker_engine import Docker
from go_builds import GoBuilds, kubernetes_version
from python_base import PythonBase
from steps import Step, Work
from system_images import names_by_program, write_system_images

IMAGE = "kind.local/node"
FILES = SOURCES / "node"
# Bookworm whatever the host is: the systemd of later releases cannot run on cgroup v1.
SUITE = "bookworm"
PACKAGES = (
    "busybox-static", "ca-certificates", "catatonit", "conntrack", "containerd", "containernetworking-plugins",
    "dbus", "ethtool", "iproute2", "iptables", "kmod", "libseccomp2", "mount", "nftables", "procps", "runc",
    "socat", "systemd", "systemd-sysv", "util-linux",
)  # fmt: skip
CNI_PLUGINS = ("host-local", "loopback", "portmap", "ptp")
ENABLED_UNITS = ("containerd.service", "kubelet.service", "proc-cgroups.service")
MASKED_UNITS = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "console-getty.service", "dpkg-db-backup.timer",
    "e2scrub_all.timer", "fstrim.timer", "getty.target", "systemd-binfmt.service", "systemd-logind.service",
    "systemd-networkd.service", "systemd-resolved.service", "systemd-udevd.service",
)  # fmt: skip
# Folders of units that Debian starts by default; a node starts only what is enabled above.
DEFAULT_WANTS = (
    "lib/systemd/system/multi-user.target.wants",
    "lib/systemd/system/local-fs.target.wants",
    "lib/systemd/system/basic.target.wants",
    "etc/systemd/system/*.wants",
)


# For asking a step its key, which doesn't depend on the engine.
NO_ENGINE = Docker(own=False, env={})


class NodeImage:
    """The step that builds the image, and the name that the image gets."""

    def __init__(self, cache: Cache, go: GoBuilds, python: PythonBase) -> None:
        self.tree = debian.tree_step("node tree", SUITE, PACKAGES, cache.root / "debian-packages")
        self._go = go
        self._python = python
        self._inputs = (
            self.tree, go.kubernetes, go.node_tools, go.etcd, go.coredns, go.local_path_provisioner, python.base,
        )  # fmt: skip

    @property
    def name(self) -> str:
        return f"{IMAGE}:{self.step(NO_ENGINE).key}"

    def step(self, docker: Docker) -> Step:
        """The image in that engine, which need not run before the step is started."""

        def build(work: Work) -> None:
            tree = work.output / "tree"
            commands.run(["cp", "-a", work.needs[self.tree.name] / "tree", tree], log=work.log)
            self._add_files(tree, work)
            archive = work.output / "system-images.tar"
            write_system_images(archive, work, self._go, self.tree)
            archives = [archive, self._python.archive_in(work.needs[self._python.base.name])]
            _preload(tree, archives, work.log)
            _import(tree, self.name, docker.env, work.log)
            _forget_old(self.name, docker.env, work.log)
            shutil.rmtree(tree)
            archive.unlink()

        def still_there() -> bool:
            return docker.has_image(self.name)

        modules = ("node_image.py", "system_images.py", "image_archive.py", "file_trees.py")
        sources = (FILES, *(SOURCES / module for module in modules))
        return Step(
            name="node image",
            lane="images",
            build=build,
            files=sources,
            needs=self._inputs,
            still_there=still_there,
        )

    def _add_files(self, tree: Path, work: Work) -> None:
        commands.run(["cp", "-a", "--no-preserve=ownership", f"{FILES}/rootfs/.", tree], log=work.log)
        programs = work.needs[self._go.kubernetes.name]
        for program in ("kubeadm", "kubectl", "kubelet"):
            shutil.copy(programs / program, tree / "usr/bin" / program)
        shutil.copy(work.needs[self._go.node_tools.name] / "crictl", tree / "usr/bin/crictl")
        plugins = tree / "opt/cni/bin"
        plugins.mkdir(parents=True)
        for plugin in CNI_PLUGINS:
            shutil.copy(tree / "usr/lib/cni" / plugin, plugins / plugin)
        (tree / "kind/version").write_text(kubernetes_version())
        for script in ("usr/local/bin/entrypoint", "kind/bin/enable-cgroup-v2-controllers"):
            (tree / script).chmod(0o755)
        settings = tree / "etc/containerd/config.toml"
        pause = names_by_program(programs / "kubeadm")["pause"]
        settings.write_text(settings.read_text().replace("PAUSE_IMAGE", pause))
        _choose_units(tree)


def _choose_units(tree: Path) -> None:
    units = tree / "etc/systemd/system"
    for pattern in DEFAULT_WANTS:
        for folder in tree.glob(pattern):
            shutil.rmtree(folder)
    (tree / "lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service").unlink(missing_ok=True)
    for unit in MASKED_UNITS:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    wants = units / "multi-user.target.wants"
    wants.mkdir()
    for unit in ENABLED_UNITS:
        (wants / unit).symlink_to(f"/etc/systemd/system/{unit}")
    default = units / "default.target"
    default.unlink(missing_ok=True)
    default.symlink_to("/lib/systemd/system/multi-user.target")


def _preload(tree: Path, archives: list[Path], log: Path) -> None:
    """Put images into the store of the node's containerd, with that containerd itself."""
    waiting = tree / "preload"
    waiting.mkdir()
    for archive in archives:
        shutil.copy(archive, waiting / archive.name)
    script = FILES / "preload.sh"
    shutil.copy(script, waiting / script.name)
    # A mount namespace of its own: nothing stays mounted in the tree, whatever happens.
    in_tree = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/sh /preload/preload.sh'
    environment = {"PATH": debian.SYSTEM_PATH}
    commands.run(["unshare", "--mount", "sh", "-c", in_tree, tree], log=log, env=environment)
    shutil.rmtree(waiting)


def _import(tree: Path, name: str, env: dict[str, str], log: Path) -> None:
    base = f"{IMAGE}-base:{name.rpartition(':')[2]}"
    commands.pipe(
        ["tar", "--directory", str(tree), "--numeric-owner", "--create", "."],
        ["docker", "import", "-", base],
        log=log,
        env=env,
    )
    # `docker import` cannot set a stop signal, which systemd needs; a build can.
    build: list[str | Path] = ["docker", "build", "--quiet", "--network=none", "--build-arg", f"BASE={base}", "--tag", name, FILES]
    commands.run(build, log=log, env={**env, "DOCKER_BUILDKIT": "0"})
    commands.run(["docker", "rmi", "--no-prune", base], log=log, env=env)  # the name only: the image is part of the other


def _forget_old(name: str, env: dict[str, str], log: Path) -> None:
    """Remove node images of earlier sources, a gigabyte each, unless a cluster still runs from one."""
    present = commands.output(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", IMAGE], env=env).split()
    used = commands.output(["docker", "ps", "--all", "--format", "{{.Image}}"], env=env).split()
    old = sorted(set(present) - {name, *used})
    if old:
        commands.run(["docker", "rmi", *old], log=log, env=env)
