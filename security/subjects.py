"""What is looked at: everything that ends up in a cluster, as it gets there, and everything that runs in it.

The chart as Helm renders it, with its defaults and with other values. What the operator makes for bots: those of the samples and one that
uses every field. The Dockerfile. All of it is written to one folder, each with a name that says where it is from.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from tradingbot_operator.desired import build_children
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.settings import OperatorSettings

ROOT: Final = Path(__file__).resolve().parents[1]
CHART: Final = ROOT / "charts" / "tradingbot-operator"
CODE: Final = ("cli", "engine", "operator")

_DIGEST: Final = f"sha256:{'0' * 64}"
_VALUES: Final = {
    "defaults": (),
    "hardened": (
        "watchNamespaces={desk-a,desk-b}",
        f"image.digest={_DIGEST}",
        f"engineImage.digest={_DIGEST}",
        "image.pullPolicy=Always",
        "metrics.source=prometheus",
        "metrics.prometheus.url=https://prometheus.monitoring:9090",
        "metrics.prometheus.tokenSecretRef.name=prometheus-token",
        "metrics.prometheus.tokenSecretRef.key=token",
        "monitoring.scrapeNamespaces={monitoring}",
    ),
}


def find_helm(programs: Path) -> str:
    """Return the helm of a folder, or the one that is installed."""
    found = programs / "helm" if (programs / "helm").exists() else shutil.which("helm")
    if found is None:
        raise FileNotFoundError("there is no helm: `make security` builds it")
    return str(found)


def write_subjects(folder: Path, helm: str) -> None:
    """Write all subjects anew into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, values in _VALUES.items():
        _render_chart(folder / "kubernetes" / f"chart-{name}", helm, values)
    bots = folder / "kubernetes" / "bots"
    bots.mkdir(parents=True)
    for name, bot in _bots().items():
        children = build_children(bot, OperatorSettings(engine_image="tradingbot/engine:1"))
        (bots / f"{name}.yaml").write_text(yaml.safe_dump_all(children, sort_keys=False))
    docker = folder / "dockerfile"
    docker.mkdir()
    shutil.copyfile(ROOT / "Dockerfile", docker / "Dockerfile")


def _render_chart(folder: Path, helm: str, values: tuple[str, ...]) -> None:
    words = [word for value in values for word in ("--set", value)]
    command = [helm, "template", "operator", str(CHART), "--namespace", "tradingbot-system", "--output-dir", str(folder), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _bots() -> dict[str, TradingBot]:
    paths = {path.stem: path for path in sorted((ROOT / "manifests" / "samples").glob("*.yaml"))}
    bots = {name: _first_bot(path) for name, path in paths.items()}
    found = {name: _admitted(body) for name, body in bots.items() if body is not None}
    every_field = ROOT / "tests" / "golden" / "operator" / "everything" / "bot.yaml"
    return found | {"every-field-of-the-tests": parse_bot(yaml.safe_load(every_field.read_text()))}


def _first_bot(path: Path) -> dict[str, Any] | None:
    documents: list[dict[str, Any]] = [document for document in yaml.safe_load_all(path.read_text()) if document]
    return next((document for document in documents if document["kind"] == "TradingBot"), None)


def _admitted(body: dict[str, Any]) -> TradingBot:
    """Return a bot as the API server would hand it to the operator."""
    return parse_bot(body | {"metadata": {"namespace": "desk", "uid": "0", "generation": 1} | body["metadata"]})
