"""From nothing to a bot that trades real prices on a real cluster, broken and healed before your eyes.

Each step is the one that a person would take by hand. The exit code is 0 only if the bot traded, was broken and traded again;
3 if this machine can't have a cluster (then the bot is shown running without one).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

# The tests' way to a cluster is also the demonstration's; it is no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from snapshot import Snapshot, event_time, look
from steps import Steps
from view import View, money

from rig.bots import Bot
from rig.kube import Kube, KubectlError
from rig.release import cluster, cluster_environment, install
from rig.waiting import eventually
from tradingbot_contract.report import EngineState

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLE: Final = ROOT / "manifests" / "samples" / "first-bot.yaml"
NAMESPACE: Final = "demo"
NAME: Final = "first-bot"
PLUGIN: Final = os.path.relpath(Path(sys.executable).with_name("tradingbot"), ROOT)
"""With its folder in PATH it is `kubectl tradingbot`."""
TRADE_SECONDS: Final = 20.0
GIVE_UP_SECONDS: Final = 90.0
NO_CLUSTER: Final = 3
"""The cluster tool's exit code when this machine can't run one."""


def main() -> int:
    console = Console(highlight=False)
    steps = Steps(console)
    try:
        kube = bring_up(steps)
    except subprocess.CalledProcessError as error:
        if error.returncode == NO_CLUSTER:
            return without_cluster(console)
        console.print("[red]The step above failed, and has said why.[/] What is built stays: run `make demo` again.")
        return 1
    bot = Bot(kube, NAMESPACE, NAME)
    try:
        with steps.step("TradingBot applied, first bar processed"):
            first_bar = start(bot, console)
        with View(console, f"tradingbot {NAMESPACE}/{NAME}") as view:
            with steps.step(f"trades for {TRADE_SECONDS:.0f} seconds"):
                before = watch(bot, view, "trades real prices", lambda seen: seen.at - first_bar > TRADE_SECONDS)
            with steps.step("engine stopped (SIGSTOP), noticed, restarted, trading"):
                moments, after = break_and_heal(bot, view)
    except (AssertionError, KubectlError) as error:
        console.print(f"[red]{error}")
        return 1
    finally:
        kube.close()
    tell(console, kube, before, after, moments)
    console.print(steps.table())
    how_to_go_on(console)
    return 0


def bring_up(steps: Steps) -> Kube:
    with steps.step("cluster"):
        cluster("up")
    with steps.step("images built"):
        images = json.loads(cluster("images"))
    with steps.step("images loaded"):
        cluster("load")
    kube = Kube(cluster_environment())
    with steps.step("operator installed by Helm"):
        install(kube, images)
    return kube


def start(bot: Bot, console: Console) -> float:
    """Apply the sample in a namespace of its own and return when its first bar was processed."""
    bot.kube.make_namespace(NAMESPACE)
    bot.kube.kubectl("-n", NAMESPACE, "delete", "tradingbot", NAME, "--ignore-not-found", "--wait")  # of an earlier demonstration
    eventually("the earlier bot's volume is gone", lambda: not bot.kube.items("persistentvolumeclaims", NAMESPACE))
    applied = time.time()
    console.print(f"$ kubectl -n {NAMESPACE} apply -f {SAMPLE.relative_to(ROOT)}")
    console.print(bot.kube.kubectl("-n", NAMESPACE, "apply", "-f", str(SAMPLE)).strip())
    bot.wait_trading()
    now = time.time()
    console.print(f"first bar seen {now - applied:.1f} s after kubectl apply")
    return now


def watch(bot: Bot, view: View, note: str, done: Callable[[Snapshot], bool]) -> Snapshot:
    """Show the bot until something is so; return the last snapshot.

    Raises:
        AssertionError: it did not become so.
    """
    started = time.monotonic()
    while True:
        seen = look(bot)
        view.show(seen, note)
        if done(seen):
            return seen
        assert time.monotonic() - started < GIVE_UP_SECONDS, f"{note}: not over after {GIVE_UP_SECONDS:.0f} s\n{bot.explain()}"
        time.sleep(0.5)


def break_and_heal(bot: Bot, view: View) -> tuple[dict[str, float], Snapshot]:
    """Stop the engine's process and watch it come back; return the seconds to each thing that was seen, and the last snapshot."""
    engine = bot.engine()
    assert engine is not None, "the engine did not answer before it was broken"
    bot.signal(signal.SIGSTOP)
    broken = time.time()
    moments: dict[str, float] = {}

    def healed(seen: Snapshot) -> bool:
        # Another process has answered, so the stopped one is gone.
        fresh = seen.engine if seen.engine is not None and seen.engine.started_at > engine.started_at else None
        for name, so in (
            ("engine does not answer", seen.engine is None),
            ("bot no longer healthy or ready", seen.says("Healthy") != "True" or seen.says("Ready") != "True"),
            ("engine restarted", fresh is not None),
            ("trading again", fresh is not None and fresh.state is EngineState.RUNNING and fresh.bars > engine.bars),
            ("bot healthy and ready again", fresh is not None and seen.says("Healthy") == "True" and seen.says("Ready") == "True"),
        ):
            if so and name not in moments and (name != "bot healthy and ready again" or "trading again" in moments):
                moments[name] = seen.at - broken
        return "bot healthy and ready again" in moments

    after = watch(bot, view, "engine stopped with SIGSTOP: it hangs, as in a deadlock", healed)
    return moments, after


def tell(console: Console, kube: Kube, before: Snapshot, after: Snapshot, moments: dict[str, float]) -> None:
    table = Table(title="After SIGSTOP", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("seen")
    table.add_column("seconds", justify="right")
    for name, seconds in sorted(moments.items(), key=lambda item: item[1]):
        table.add_row(name, f"{seconds:.1f}")
    console.print(table)
    for name, seen in (("before", before), ("after", after)):
        known = seen.last_known
        if known is not None:
            console.print(f"{name}: {known.bars:,} bars, {known.orders} orders, {known.fills} fills, equity {money(seen)}")
    console.print("\nEvents")
    for event in after.events[-8:]:
        console.print(f"  {event_time(event)[11:19]} {event['type']:8}{event['reason']:20}{event['message']}", soft_wrap=True, markup=False)
    console.print(f"\n$ kubectl -n {NAMESPACE} describe tradingbot {NAME} (its status)")
    described = kube.kubectl("-n", NAMESPACE, "describe", "tradingbot", NAME, "--show-events=false")
    console.print(described[described.index("\nStatus:") + 1 :], soft_wrap=True, markup=False)


def how_to_go_on(console: Console) -> None:
    console.print("\nHow to go on:")
    for command, meaning in (
        ('eval "$(make -s cluster-env)"', "kubectl, helm and the cluster's address for this shell"),
        ("kubectl get tradingbots -A --watch", "every bot"),
        (f"{PLUGIN} explain {NAME} -n {NAMESPACE}", "what it does and why; other verbs: --help"),
        ("kubectl explain tradingbot.spec --recursive", "what can be set"),
        (f"kubectl -n {NAMESPACE} edit tradingbot {NAME}", "change it, for example market.feed.replay.speed"),
        (f"kubectl -n {NAMESPACE} port-forward pod/{NAME}-0 8081", "then http://localhost:8081 is its own page"),
        ("make cluster-down", "take it all away"),
    ):
        console.print(f"  {command:<52}{meaning}", soft_wrap=True, markup=False)


def without_cluster(console: Console) -> int:
    """Run the sample on this machine, because it can't have a cluster; the tool has said above what is missing."""
    console.rule("[bold]the same bot without a cluster", align="left", style="dim")
    command = [str(Path(sys.executable).with_name("tradingbot")), "run", "--fresh", str(SAMPLE)]
    console.print(f"$ tradingbot run --fresh {SAMPLE.relative_to(ROOT)}")
    done = subprocess.run(command, check=False)
    return NO_CLUSTER if done.returncode == 0 else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The cluster stays: `make demo` begins again, `make cluster-down` takes it away.")
