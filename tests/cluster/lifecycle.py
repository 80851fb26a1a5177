"""Brings the cluster up and takes it down, with what this machine has.

Invariant: `up` may be interrupted anywhere and run again. What it decided (which
engine, which images) is written down, so `down`, `status` and `env` need not guess.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property

import commands
import kind_cluster
from app_images import APP_IMAGES, build, stage_dependencies, up_to
from cache_folder import Cache
from docker_engine import Docker, OwnEngine, find_docker
from errors import ClusterError, CommandFailedError, UnsuitableError
from go_builds import GoBuilds
from image_loading import Loader
from kind_cluster import KindCluster
from node_image import NodeImage
from progress import Progress
from python_base import PUBLISHED_IMAGE, PythonBase
from steps import Runner
from tools import Tools, kubectl_fits

# Any 1.35 will do; this one is published for kind.
PUBLISHED_NODE_IMAGE = "kindest/node:v1.35.0"


@dataclass(frozen=True)
class Choices:
    """What the last `up` used."""

    node_image: str
    python_image: str
    kubectl: str


class TestCluster:
    """The cluster of one cache folder."""

    __test__ = False  # not a test, whatever pytest thinks of the name

    def __init__(self, cache: Cache, progress: Progress) -> None:
        self.cache = cache
        self.progress = progress
        self.engine = OwnEngine(cache)
        self.runner = Runner(cache, progress)
        self._tools = Tools(cache, self.runner)
        self.go = GoBuilds(cache)
        self.python = PythonBase(cache)
        self._log = cache.logs / "cluster.log"
        self._images_log = cache.logs / "images.log"
        self._choices_file = cache.root / "choices.json"

    @cached_property
    def choices(self) -> Choices | None:
        if not self._choices_file.exists():
            return None
        return Choices(**json.loads(self._choices_file.read_text()))

    def find_docker(self) -> Docker | None:
        return find_docker(self.engine)

    def cluster(self, docker: Docker) -> KindCluster:
        kubectl = self.choices.kubectl if self.choices else "kubectl"
        return KindCluster(docker, self.cache.kubeconfig, kubectl)

    def up(self) -> None:
        """Make sure that a healthy cluster runs; at once if it does already."""
        docker = self.find_docker()
        if docker and self.choices and shutil.which(self.choices.kubectl) and self.cluster(docker).is_healthy():
            self.progress.say(f"the cluster is up already; node image {self.choices.node_image}")
            if docker.own and self.choices.node_image != NodeImage(self.cache, self.go, self.python).name:
                self.progress.say("its sources have changed since; `make cluster-down cluster-up` makes it from the new ones")
            return
        self._log.write_bytes(b"")
        if docker and not docker.own and self._pull(PUBLISHED_NODE_IMAGE, docker) and self._pull(PUBLISHED_IMAGE, docker):
            self._up_from_published(docker)
        else:
            self._up_from_sources(docker)

    def down(self) -> None:
        """Delete the cluster, and stop our engine if it runs."""
        docker = self.find_docker()
        deleted = docker is not None and self.cluster(docker).delete(self._log)
        stopped = self.engine.stop()
        self.progress.say("the cluster is deleted" if deleted else "there was no cluster")
        if stopped:
            self.progress.say("our Docker engine is stopped")

    def tools(self) -> None:
        """Make sure that helm, what checks its chart, and kubectl are there; takes neither Docker nor root."""
        self._tools.find_or_build("helm", self.go.helm)
        checkers = (("helm-unittest", self.go.helm_unittest), ("kubeconform", self.go.kubeconform), ("configscan", self.go.configscan))
        for name, step in checkers:
            self._tools.link(name, self.runner.result(step))  # always ours: another version may judge otherwise
        self.runner.result(self.go.kubernetes_schemas)
        all_programs = self.go.kubernetes
        self._tools.find_or_build("kubectl", all_programs if self.runner.is_built(all_programs) else self.go.kubectl, kubectl_fits)

    def images(self) -> dict[str, str]:
        """Build our images where their content changed; their names by what is in them."""
        docker = self._engine_for_builds()
        base = self._python_base(docker)
        names = {}
        for image in APP_IMAGES:
            names[image.target] = name = image.fixed_name(base)
            if not docker.has_image(name):
                with self.progress.step(f"dependencies of {image.target}", self._images_log):
                    for needed in up_to(image):  # an image that is there already may be from another checkout
                        stage_dependencies(needed, self.cache, self._images_log)
                with self.progress.step(f"image {name}", self._images_log):
                    build(image, docker, base, self._images_log)
            commands.output(["docker", "tag", name, image.moving_name], env=docker.env)
        return names

    def load(self) -> dict[str, str]:
        """Build our images and put them into the nodes; their names by what is in them."""
        names = self.images()
        for image in (image for image in APP_IMAGES if image.in_cluster):
            self.put_into_nodes([names[image.target], image.moving_name])
        return names

    def put_into_nodes(self, names: list[str]) -> None:
        """Make the nodes have these names of one image that the engine has."""
        docker = self.find_docker()
        nodes = [node.name for node in self.cluster(docker).nodes() if node.running] if docker else []
        if docker is None or not nodes:
            raise ClusterError("there is no cluster to load images into; `make cluster-up` makes it")
        with self.progress.step(f"load {names[0]}", self._images_log):
            if docker.own:
                Loader(docker, nodes, self._images_log).load(names)
            else:
                self._kind_load(docker, names)

    def _kind_load(self, docker: Docker, names: list[str]) -> None:
        kind = self._tools.find_or_build("kind", self.go.kind)
        argv = [kind, "load", "docker-image", "--name", kind_cluster.NAME, *names]
        commands.run(argv, log=self._images_log, env=docker.env)

    def _engine_for_builds(self) -> Docker:
        docker = self.find_docker()
        if docker is None:
            self._start_engine()
            docker = self.engine.docker
        return docker

    def _python_base(self, docker: Docker) -> str:
        """The image that ours start from: what `up` chose, else what can be had."""
        if self.choices and self.choices.python_image == PUBLISHED_IMAGE:
            return PUBLISHED_IMAGE
        if not self.choices and not docker.own and self._pull(PUBLISHED_IMAGE, docker):
            return PUBLISHED_IMAGE
        self.python.load(self.runner.result(self.python.base), docker, self._images_log)
        return self.python.name

    def _up_from_published(self, docker: Docker) -> None:
        kind = self._tools.find_or_build("kind", self.go.kind)
        kubectl = self._tools.find_or_build("kubectl", self.go.kubectl, kubectl_fits)
        self._tools.find_or_build("helm", self.go.helm)
        self._choose(Choices(PUBLISHED_NODE_IMAGE, PUBLISHED_IMAGE, kubectl))
        self._create(docker, kind)
        self._kind_load(docker, [PUBLISHED_IMAGE])

    def _up_from_sources(self, docker: Docker | None) -> None:
        if os.geteuid() != 0:
            raise UnsuitableError(
                "the node image cannot be pulled, and building one takes root. Either give Docker access to an image "
                f"registry (try `docker pull {PUBLISHED_NODE_IMAGE}`), or run this as root on Debian."
            )
        engine = docker or self.engine.docker
        node = NodeImage(self.cache, self.go, self.python)
        image = node.step(engine)
        # The long builds begin before anything else, unless the image is there already.
        if not self.runner.output(image).is_dir():
            for need in image.needs:
                self.runner.start(need)
        if engine.own:
            self._start_engine()
        image_built = self.runner.start(image)
        kind, helm = self.runner.start(self.go.kind), self.runner.start(self.go.helm)
        image_built.result()
        self.python.load(self.runner.result(self.python.base), engine, self._log)
        kubectl = self._tools.link("kubectl", self.runner.result(self.go.kubernetes))
        self._choose(Choices(node.name, self.python.name, kubectl))
        self._create(engine, self._tools.link("kind", kind.result()))
        self._tools.link("helm", helm.result())

    def _start_engine(self) -> None:
        if self.engine.is_running():
            return
        with self.progress.step("docker engine", self._log):
            self.engine.start(self._log)

    def _create(self, docker: Docker, kind: str) -> None:
        if self.choices is None:
            raise AssertionError("choices are written down before a cluster is made")
        cluster = self.cluster(docker)
        with self.progress.step("cluster", self._log):
            cluster.create(kind, self.choices.node_image, self._log)

    def _choose(self, choices: Choices) -> None:
        unfinished = self._choices_file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(choices), indent=2) + "\n")
        unfinished.rename(self._choices_file)
        self.__dict__.pop("choices", None)  # read it again

    def _pull(self, image: str, docker: Docker) -> bool:
        if docker.has_image(image):
            return True
        self.progress.say(f"pulling {image} ...")
        try:
            commands.run(["docker", "pull", "--quiet", image], log=self._log, env=docker.env)
        except CommandFailedError:
            self.progress.say(f"{image} cannot be pulled, so it is built from sources (see {self._log})")
            return False
        return True
