"""The images of the control plane and of the cluster's own services.

kubeadm decides the names and tags. Each image is one layer with one program of ours
in it, and what that program needs from the node's Debian tree.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import commands
from errors import ClusterError
from file_trees import copy_libraries, copy_paths, make_skeleton
from go_builds import GoBuilds, kubernetes_version
from image_archive import Image, pack_layer, write_archive
from steps import Step, Work

# Named in node/rootfs/kind/manifests/*.yaml, never pulled.
CNIAGENT_IMAGE = "kind.local/cniagent:v1"
PROVISIONER_IMAGE = "kind.local/local-path-provisioner:v1"
BUSYBOX_IMAGE = "kind.local/busybox:v1"

IPTABLES_LINKS = (
    "iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore",
)  # fmt: skip


def write_system_images(archive: Path, work: Work, go: GoBuilds, node_tree: Step) -> None:
    """All images that a node needs to become and stay Ready, in one archive."""
    tree = work.needs[node_tree.name] / "tree"
    programs = work.needs[go.kubernetes.name]
    names = names_by_program(programs / "kubeadm")
    workshop = work.output / "images"

    def image(name: str, program: Path, *, entrypoint: bool = False, target: str | None = None) -> Image:
        root = workshop / program.name
        make_skeleton(root)
        place = target or f"/usr/local/bin/{program.name}"
        path = root / place.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, path)
        layer = pack_layer(root, workshop / f"{program.name}.layer")
        shutil.rmtree(root)
        return Image(name, (layer,), {"Entrypoint": [place]} if entrypoint else {})

    _add_iptables(workshop / "kube-proxy", tree)
    _add_nft(workshop / "cniagent", tree)
    _add_applets(workshop / "busybox", tree)
    control_plane = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    images = [image(names[program], programs / program) for program in control_plane]
    images += [
        image(names["etcd"], work.needs[go.etcd.name] / "etcd"),
        image(names["coredns"], work.needs[go.coredns.name] / "coredns", entrypoint=True, target="/coredns"),
        # catatonit has a mode for just this: hold a pod's namespaces and reap its orphans
        _pause(names["pause"], tree, workshop),
        image(CNIAGENT_IMAGE, work.needs[go.node_tools.name] / "cniagent"),
        image(PROVISIONER_IMAGE, work.needs[go.local_path_provisioner.name] / "local-path-provisioner"),
        image(BUSYBOX_IMAGE, tree / "usr/bin/busybox", target="/usr/bin/busybox"),
    ]
    write_archive(archive, images)
    shutil.rmtree(workshop)


def names_by_program(kubeadm: Path) -> dict[str, str]:
    """What kubeadm calls the images, such as {"etcd": "registry.k8s.io/etcd:3.6.6-0"}."""
    listed = commands.output([kubeadm, "config", "images", "list", "--kubernetes-version", kubernetes_version()])
    names = {line.rpartition(":")[0].rpartition("/")[2]: line for line in listed.split()}
    for program in ("kube-apiserver", "etcd", "coredns", "pause"):
        if program not in names:
            raise ClusterError(f"kubeadm lists no image for {program}: {listed}; its pinned version changed too much")
    return names


def _pause(name: str, tree: Path, workshop: Path) -> Image:
    root = workshop / "pause"
    root.mkdir(parents=True)
    shutil.copy(tree / "usr/bin/catatonit", root / "catatonit")
    layer = pack_layer(root, workshop / "pause.layer")
    return Image(name, (layer,), {"Entrypoint": ["/catatonit", "-P"]})


def _add_iptables(root: Path, tree: Path) -> None:
    """iptables for kube-proxy, with all its plugins: their libraries are not those of iptables itself."""
    make_skeleton(root)
    plugins = [f"/{path.relative_to(tree)}" for path in sorted(tree.glob("usr/lib/*/xtables"))]
    programs = ["/usr/sbin/xtables-nft-multi", "/usr/sbin/conntrack"]
    copy_paths(tree, [*plugins, *programs, "/etc/protocols", "/etc/services"], root)
    plugin_files = [f"/{path.relative_to(tree)}" for folder in plugins for path in sorted((tree / folder[1:]).glob("*.so"))]
    copy_libraries(tree, [*programs, *plugin_files], root)
    for link in IPTABLES_LINKS:
        (root / "usr/sbin" / link).symlink_to("xtables-nft-multi")


def _add_nft(root: Path, tree: Path) -> None:
    make_skeleton(root)
    copy_paths(tree, ["/usr/sbin/nft"], root)
    copy_libraries(tree, ["/usr/sbin/nft"], root)


def _add_applets(root: Path, tree: Path) -> None:
    make_skeleton(root)
    for applet in commands.output([tree / "usr/bin/busybox", "--list"]).split():
        link = root / "usr/bin" / applet
        if applet != "busybox":
            link.symlink_to("busybox")
