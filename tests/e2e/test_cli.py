"""``kubectl tradingbot`` as the person on call uses it, where ports are forwarded and logs given by real kubelets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube
from tradingbot_contract.endpoints import ENGINE_PORT, STATUS_PATH

StartBots = Callable[..., list[Bot]]
PLUGINS = str(Path(sys.executable).parent)


@pytest.fixture(scope="module")
def bot(start: StartBots) -> Bot:
    (bot,) = start(manifest("on-call"))
    bot.wait_trading()
    bot.wait_condition("Ready", "True")
    bot.wait_condition("Healthy", "True")
    bot.wait_condition("TuningApplied", "True")
    return bot


@pytest.fixture
def plugin(kube: Kube, namespace: str) -> Callable[..., str]:
    """Return a function that calls the plugin through kubectl and returns what it prints."""

    def call(*words: str, code: int = 0) -> str:
        environment = kube.environment | {"PATH": os.pathsep.join([PLUGINS, kube.environment["PATH"]])}
        command = ["kubectl", "tradingbot", *words, "-n", namespace]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert ended.returncode == code, f"{words}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        print(f"$ kubectl tradingbot {' '.join(words)}\n{ended.stdout}{ended.stderr}")
        return ended.stdout + ended.stderr

    return call


def test_the_observers_report_and_the_operators_settings_reach_the_explanation(bot: Bot, plugin: Callable[..., str]) -> None:
    listed = plugin("list")
    assert re.search(rf"^{bot.name} +Running +1/1 +\d+ ", listed, re.MULTILINE)
    assert "EngineReady" in plugin("status", f"tb/{bot.name}")
    found: dict[str, Any] = json.loads(plugin("explain", bot.name, "-o", "json"))
    assert any(sentence.startswith(f"The engine of {bot.name}-0 is Running, score ") for sentence in found["why"])
    assert found["next"][0].startswith("Nothing: it is as it should be."), found
    assert found["unknown"] == []


def test_logs_are_those_of_the_container(bot: Bot, plugin: Callable[..., str]) -> None:
    assert len(plugin("logs", bot.name, "--tail", "1").splitlines()) == 1
    assert plugin("logs", bot.name, "--container", "observer")
    assert "not found" in plugin("logs", bot.name, "--previous", code=1)


def test_a_bot_is_tuned_and_paused_without_a_restart_and_restarted_when_asked(bot: Bot, plugin: Callable[..., str]) -> None:
    uid = bot.pod_uid()
    assert "every engine runs generation" in plugin("tune", bot.name, "database.pool.size=7", "cache.memoryLimit=50Mi")
    plugin("pause", bot.name, "--wait")
    assert bot.status()["phase"] == "Paused"
    plugin("resume", bot.name, "--wait")
    assert bot.pod_uid() == uid
    plugin("tune", bot.name, "lifecycle.updatePolicy=Proceed")
    assert f"{bot.name}-0 restarted" in plugin("restart", bot.name, "--wait")
    assert bot.pod_uid() != uid


def test_a_page_of_the_pod_that_is_not_there_is_told_of_in_a_sentence(bot: Bot, kube: Kube) -> None:
    script = (
        "import sys; from tradingbot_cli.cluster import connect; from tradingbot_cli.connection import Target;"
        "from tradingbot_cli.port_forward import PageError\n"
        "cluster = connect(Target(namespace=sys.argv[1]))\n"
        f"assert b'Running' in cluster.read_page(sys.argv[2], {ENGINE_PORT}, '{STATUS_PATH}')\n"
        f"for port, path in (({ENGINE_PORT}, '/none'), (9, '/')):\n"
        "    try:\n"
        "        cluster.read_page(sys.argv[2], port, path)\n"
        "    except PageError as error:\n"
        "        print(error.message)\n"
    )
    pod = f"{bot.name}-0"
    said = subprocess.run(
        [sys.executable, "-c", script, bot.namespace, pod], env=kube.environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert f"pod {pod}, port {ENGINE_PORT}, /none: " in said
    assert f"pod {pod}, port 9, /: " in said
