"""Programs built from pinned Go modules (`go/*/go.mod` and `go.sum`).

All are static (no C library in the images) and stripped. They are built one `go
build` after the other, since each uses every core anyway.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import commands
import debian
from cache_folder import SOURCES, Cache
from errors import UnsuitableError
from kubernetes_schemas import write_kubernetes_schemas
from steps import Step, Work

LANE = "go"
MODULES = SOURCES / "go"
# The first Go that fetches a newer toolchain by itself when a module asks for it.
OLDEST_GO = (1, 21)
STRIPPED = "-s -w"
KUBERNETES_COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)


def kubernetes_version() -> str:
    """The pinned version, such as v1.35.4."""
    pinned = re.search(r"^\tk8s\.io/kubernetes (v\S+)", (MODULES / "kubernetes/go.mod").read_text(), re.MULTILINE)
    if pinned is None:
        raise UnsuitableError("go/kubernetes/go.mod does not require k8s.io/kubernetes any more; put it back")
    return pinned.group(1)


class GoBuilds:
    """The build steps; nothing runs before a runner starts one."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        version = kubernetes_version()
        major, minor, _ = version.removeprefix("v").split(".")
        # kubeadm, kubelet and kubectl say which version they are by these.
        stamp = "k8s.io/component-base/version"
        stamps = f"-X {stamp}.gitVersion={version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor} -X {stamp}.gitTreeState=clean"
        packages = [f"k8s.io/kubernetes/cmd/{command}" for command in KUBERNETES_COMMANDS]
        self.kubernetes = self._step("kubernetes", "kubernetes", packages, link_flags=f"{STRIPPED} {stamps}")
        # Only where everything but kubectl is there already.
        self.kubectl = self._step("kubectl", "kubernetes", ["k8s.io/kubernetes/cmd/kubectl"], link_flags=f"{STRIPPED} {stamps}")
        self.node_tools = self._step("node tools", "kubernetes", ["./cmd/cniagent", "./cmd/crictl"], sources=("cmd",))
        self.etcd = self._step("etcd", "etcd", ["go.etcd.io/etcd/server/v3"])
        self.coredns = self._step("coredns", "coredns", ["."], sources=("main.go",))
        self.local_path_provisioner = self._step(
            "local-path-provisioner", "local-path-provisioner", ["github.com/rancher/local-path-provisioner"]
        )
        self.kind = self._step("kind", "kind", ["sigs.k8s.io/kind"])
        self.helm = self._step("helm", "helm", ["helm.sh/helm/v4/cmd/helm"])
        # What checks the chart.
        self.helm_unittest = self._step("helm-unittest", "helm-unittest", ["github.com/helm-unittest/helm-unittest/cmd/helm-unittest"])
        self.kubeconform = self._step("kubeconform", "kubeconform", ["github.com/yannh/kubeconform/cmd/kubeconform"])
        self.kubernetes_schemas = _schemas_step()
        # What checks manifests and Dockerfiles. Trivy is built with a package of Go's that is still an experiment.
        self.configscan = self._step("configscan", "configscan", ["."], sources=("main.go",), experiment="jsonv2")
        # What checks the dashboards.
        self.dashboard_linter = self._step("dashboard-linter", "dashboard-linter", ["."], sources=("main.go", "logql", "schema"))
        # What takes the engine's OTLP, and what the operator's objects for Prometheus are.
        self.otelcol = self._step("otelcol", "otelcol", ["."], sources=("main.go",))
        self.monitoring_crds = _monitoring_crds_step()

    def _step(
        self,
        name: str,
        module: str,
        packages: list[str],
        *,
        link_flags: str = STRIPPED,
        sources: tuple[str, ...] = (),
        experiment: str = "",
    ) -> Step:
        folder = MODULES / module
        flags = ["-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", link_flags]

        def build(work: Work) -> None:
            # A folder as target takes several programs, a file names the only one.
            target = f"{work.output}/" if len(packages) > 1 else str(work.output / name)
            commands.run(
                ["nice", "-n", "10", _go(work.log), "build", *flags, "-o", target, *packages],
                log=work.log,
                cwd=folder,
                env={
                    "CGO_ENABLED": "0",
                    "GOEXPERIMENT": experiment,
                    "GOFLAGS": "",
                    "GOCACHE": str(self._cache.go_build),
                    "GOTOOLCHAIN": "auto",
                    "GOWORK": "off",
                },
            )

        files = tuple(folder / file for file in ("go.mod", "go.sum", *sources))
        return Step(name=name, lane=LANE, build=build, texts=(*flags, *packages, *filter(None, [experiment])), files=files)


def _schemas_step() -> Step:
    """The JSON schemas of the pinned Kubernetes' kinds, from the module that its programs are built of."""
    folder = MODULES / "kubernetes"

    def build(work: Work) -> None:
        environment = {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "auto", "GOWORK": "off"}
        told = commands.output([_go(work.log), "-C", str(folder), "mod", "download", "-json", "k8s.io/kubernetes"], env=environment)
        documents = Path(json.loads(told)["Dir"]) / "api/openapi-spec/v3"
        write_kubernetes_schemas(sorted(documents.glob("api*__v*_openapi.json")), work.output)

    files = (folder / "go.mod", folder / "go.sum", SOURCES / "kubernetes_schemas.py")
    return Step(name="kubernetes schemas", lane=LANE, build=build, files=files)


def _monitoring_crds_step() -> Step:
    """The definitions of the Prometheus operator's resources, from the module that it is built of."""
    folder = MODULES / "prometheus-operator"

    def build(work: Work) -> None:
        environment = {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "auto", "GOWORK": "off"}
        module = "github.com/prometheus-operator/prometheus-operator"
        told = commands.output([_go(work.log), "-C", str(folder), "mod", "download", "-json", module], env=environment)
        for kind in ("podmonitors", "prometheusrules"):
            found = Path(json.loads(told)["Dir"]) / f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml"
            shutil.copyfile(found, work.output / f"{kind}.yaml")

    return Step(name="monitoring crds", lane=LANE, build=build, files=(folder / "go.mod", folder / "go.sum"))


def _go(log: Path) -> str:
    go = _usable_go()
    if go is None and shutil.which("apt-get"):
        offered = commands.output(["apt-cache", "policy", "golang-go"])
        candidate = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", offered)
        if candidate and (int(candidate[1]), int(candidate[2])) >= OLDEST_GO:
            debian.install_missing({"go": "golang-go"}, log)
            go = _usable_go()
    if go is None:
        oldest = ".".join(map(str, OLDEST_GO))
        raise UnsuitableError(f"the cluster's programs are built with Go: install Go {oldest} or newer and put it in PATH")
    return go


def _usable_go() -> str | None:
    go = shutil.which("go")
    if go is None:
        return None
    version = re.search(r"go(\d+)\.(\d+)", commands.output([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}))
    return go if version and (int(version[1]), int(version[2])) >= OLDEST_GO else None
