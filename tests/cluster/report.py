"""Tells people (`status`) and shells (`env`) what there is. Changes nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

import commands
import node_image
from docker_engine import Docker
from errors import CommandFailedError
from lifecycle import TestCluster


def print_environment(cluster: TestCluster) -> None:
    """Lines for `eval`: how to reach the cluster, and the images to use in it."""
    values = {"KUBECONFIG": str(cluster.cache.kubeconfig)}
    if cluster.engine.is_running():
        values |= cluster.engine.docker.env
    if cluster.choices:
        values["TRADINGBOT_PYTHON_IMAGE"] = cluster.choices.python_image
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f'export PATH={shlex.quote(str(cluster.cache.tools))}:"$PATH"')


def print_status(cluster: TestCluster) -> None:
    """A table of engine, cluster, nodes, images and the size of the cache."""
    docker = cluster.find_docker()
    rows = [("cache", f"{cluster.cache.root} ({_size(cluster.cache.root)})")]
    if docker is None:
        rows.append(("engine", "none answers; `make cluster-up` uses or starts one"))
    elif docker.own:
        rows.append(("engine", f"our own ({cluster.engine.pids()}) at {docker.env['DOCKER_HOST']}"))
    else:
        rows.append(("engine", f"the user's at {docker.env.get('DOCKER_HOST', 'the default address')}"))
    nodes = cluster.cluster(docker).nodes() if docker else []
    rows.append(("cluster", f"{len(nodes)} nodes" if nodes else "none; `make cluster-up` makes it"))
    rows += [("node", f"{node.name} {'running' if node.running else 'DEAD'} from {node.image}") for node in nodes]
    if cluster.choices:
        rows.append(("python base", cluster.choices.python_image))
    if docker:
        rows += [("image", line) for line in _images(docker)]
    for title, text in rows:
        print(f"{title:<12} {text}")
    if docker and nodes:
        print()
        try:
            print(cluster.cluster(docker).kubectl("get", "nodes", "--output=wide"))
        except CommandFailedError as failure:
            print(f"the API server does not answer: {failure}")


def _images(docker: Docker) -> list[str]:
    shown = ("tradingbot/*", f"{node_image.IMAGE}")
    filters = [word for pattern in shown for word in ("--filter", f"reference={pattern}")]
    layout = "{{.Repository}}:{{.Tag}} ({{.Size}})"
    return commands.output(["docker", "images", *filters, "--format", layout], env=docker.env).splitlines()


def _size(folder: Path) -> str:
    total = sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_dir())
    return f"{total / 1e9:.1f} GB"
