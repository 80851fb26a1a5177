"""Writes docs/reference/rbac.md: every right that the chart grants, with what it is used for. Part of ``make generate``.

With ``--check`` it only compares. The rights are read from what Helm renders, so the page can't say less than is granted; a right without a
reason here is an error.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from subjects import CHART, ROOT, find_helm
from tradingbot_operator.generated_files import write_or_compare

PAGE: Final = ROOT / "docs" / "reference" / "rbac.md"

_CHILD: Final = {
    "get": "before one is made: a stranger's object of that name is left alone",
    "list, watch": "so that a change by somebody else is seen and put back",
    "create, patch": "server-side apply, which asks for both",
    "delete": "of one that the bot no longer needs",
}
_MONITORING: Final = {
    "get": "each minute: whether it is as it should be",
    "create, patch": "server-side apply, which asks for both",
    "delete": "when the value for its kind is set to `Off`",
}
WHY: Final[dict[str, dict[str, str]]] = {
    "tradingbots.tradingbot.dev": {
        "get": "after somebody else's change got in between",
        "list, watch": "what people want",
        "patch": "`metadata.finalizers`, of bots whose `spec.lifecycle.onDelete` asks for something; the spec is never written",
    },
    "tradingbots/status.tradingbot.dev": {"patch": "what is so, and each decision before it is carried out"},
    "tradingbots/finalizers.tradingbot.dev": {
        "update": "no call: the admission plugin OwnerReferencesPermissionEnforcement asks for it, since children block the bot's deletion"
    },
    "statefulsets.apps": _CHILD,
    "services": _CHILD,
    "configmaps": _CHILD,
    "persistentvolumeclaims": _CHILD,
    "poddisruptionbudgets.policy": _CHILD,
    "networkpolicies.networking.k8s.io": _CHILD,
    "pods": {
        "get": "whether a shard's pod is really gone before another shard gets its symbols",
        "list, watch": "how the bots' pods are",
        "patch": "an annotation, so that the kubelet brings a changed document at once",
        "delete": "the restart of a sick or outdated engine; the StatefulSet makes the next one",
    },
    "pods/resize": {"patch": "memory and CPU of a running engine, in place"},
    "events": {"create": "what happened to a bot", "patch": "the count of one that happens again"},
    "leases.coordination.k8s.io": {
        "create": "the Lease, once; a name can't be demanded of what is created",
        "get, update": "its own Lease: who leads",
    },
    "deployments.apps": {"get": "its own Deployment, which owns what is made for Prometheus and Grafana"},
    "podmonitors.monitoring.coreos.com": _MONITORING,
    "prometheusrules.monitoring.coreos.com": _MONITORING,
    "dashboards": _MONITORING,
}
"""By resource and group; several verbs with one reason stand together. `dashboards` are the ConfigMaps of the monitoring Role."""

_HEAD: Final = """\
# What the operator may do

Made by `make generate` from what Helm renders. `tests/integration/operator/test_rbac.py` holds it against the calls that an operator really
makes: each call is allowed, and each right is used.

The chart grants no wildcard, and nothing on Secrets, nodes, namespaces, roles, `pods/exec` or `pods/proxy`. A bot's own pod has no token.
"""
_SECTIONS: Final = (
    (
        "",
        "## Where the bots are",
        "A ClusterRole; with `watchNamespaces`, a Role in each of these namespaces in its place, and nothing beyond them.",
    ),
    ("-election", "## Leader election", "A Role in the release's namespace."),
    ("-monitoring", "## Prometheus and Grafana", "A Role in the release's namespace; what has names is granted for these names only."),
)


def render_page(manifests: Iterable[dict[str, Any]]) -> str:
    """Return the page.

    Raises:
        KeyError: a right has no reason.
    """
    roles = {manifest["metadata"]["name"]: manifest for manifest in manifests if manifest["kind"] in {"ClusterRole", "Role"}}
    parts = [_HEAD]
    for suffix, title, text in _SECTIONS:
        rules = roles.pop(f"tradingbot-operator{suffix}")["rules"]
        parts += [f"\n{title}\n\n{text}\n\n| resource | verbs | why |\n|---|---|---|\n", *_rows(rules, monitoring=suffix == "-monitoring")]
    if roles:
        raise KeyError(f"no section for {', '.join(roles)}")
    return "".join(parts)


def _rows(rules: list[dict[str, Any]], *, monitoring: bool) -> Iterator[str]:
    granted: dict[str, set[str]] = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault(f"{resource}.{group}".rstrip("."), set()).update(rule["verbs"])
    alike: dict[int, list[str]] = {}
    for resource, verbs in granted.items():
        reasons = _reasons(resource, monitoring=monitoring)
        if {verb for together in reasons for verb in together.split(", ")} != verbs:
            raise KeyError(f"{resource}: {sorted(verbs)} are granted, reasons are given for {sorted(reasons)}")
        alike.setdefault(id(reasons), []).append(resource)
    for resources in alike.values():
        named = ", ".join(f"`{resource}`" for resource in resources)
        for together, why in _reasons(resources[0], monitoring=monitoring).items():
            yield f"| {named} | {together} | {why} |\n"
            named = ""


def _reasons(resource: str, *, monitoring: bool) -> dict[str, str]:
    return WHY["dashboards" if monitoring and resource == "configmaps" else resource]


def render_chart(helm: str) -> list[dict[str, Any]]:
    """Return the chart's objects with its defaults."""
    command = [helm, "template", "tradingbot-operator", str(CHART), "--namespace", "tradingbot-system"]
    rendered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [manifest for manifest in yaml.safe_load_all(rendered) if manifest]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` only compare it; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--programs", type=Path, required=True, help="folder where helm is, if none is installed")
    given, rest = parser.parse_known_args(arguments)

    def build_files() -> dict[str, str]:
        return {str(PAGE.relative_to(ROOT)): render_page(render_chart(find_helm(given.programs)))}

    return write_or_compare(ROOT, build_files, program="python security/rbac_reference.py", description=__doc__, arguments=rest)


if __name__ == "__main__":
    sys.exit(main())
