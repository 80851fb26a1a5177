"""The election on a real API server: who leads, who waits, and that the one who may no longer lead changes nothing any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot_rig import Rig, eventually
from faulty_link import FaultyLink
from operator_process import OperatorProcess
from tradingbot_operator.errors import ConflictError, NamespaceGoingError, NotLeadingError, UnavailableError
from tradingbot_operator.handlers import build_kopf_settings
from tradingbot_operator.kinds import LEASE, kind_of
from tradingbot_operator.kube import Kube
from tradingbot_operator.leader import Elector, LeadershipLostError, new_identity
from tradingbot_operator.lease import read_record
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.term import Term, endless_term

NAME = "operator"
CONFIG_MAP = kind_of("ConfigMap")


class Member(NamedTuple):
    """One process's part in an election."""

    elector: Elector
    kube: Kube
    term: Term
    identity: str

    async def makes(self, namespace: str, name: str) -> None:
        await self.kube.create(CONFIG_MAP, namespace, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


@asynccontextmanager
async def member(namespace: str, name: str = "a") -> AsyncIterator[Member]:
    metrics, term, identity = OperatorMetrics(), Term(), new_identity(name)
    async with Kube(build_kopf_settings(), metrics, term) as kube:
        yield Member(Elector(kube, term, metrics, namespace=namespace, name=NAME, identity=identity), kube, term, identity)


def elect(namespace: str, scenario: Callable[..., Awaitable[None]], *names: str, link: FaultyLink | None = None) -> None:
    """Run a scenario with members of these names; over a link, no connection is left half open."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            await scenario(*[await stack.enter_async_context(member(namespace, name)) for name in names])
        if link is not None:
            # A handshake that hangs has no end of its own, and the loop must see the end of every connection before it goes.
            link.cut()
            await asyncio.sleep(0.2)

    asyncio.run(run())


def record(rig: Rig, namespace: str) -> Any:
    lease = rig.api.get("leases", NAME, namespace)
    assert lease is not None
    return read_record(lease)


@pytest.fixture(autouse=True)
def credentials(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(rig.plane.api_server.kubeconfig("operator")))


@pytest.fixture
def link(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultyLink]:
    """A network between the members and the API server."""
    with FaultyLink(rig.plane.api_server.port) as link:
        config = json.loads(rig.plane.api_server.kubeconfig("operator").read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{link.port}"
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        yield link


def test_the_first_one_leads_and_the_second_one_when_it_is_given_the_lead(rig: Rig, namespace: str) -> None:
    async def scenario(first: Member, second: Member) -> None:
        await first.elector.acquire()
        holding = asyncio.create_task(first.elector.hold())
        waiting = asyncio.create_task(second.elector.acquire())
        taken = record(rig, namespace)
        assert (taken.holder, taken.duration_seconds, taken.transitions) == (first.identity, 15.0, 0)
        while record(rig, namespace).renewed_at == taken.renewed_at:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.1)
        assert (first.term.is_leading, second.term.is_leading, waiting.done()) == (True, False, False)
        assert second.elector.leader == first.identity
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        await first.elector.release()
        assert not first.term.is_leading
        assert record(rig, namespace).holder in {"", second.identity}
        await asyncio.wait_for(waiting, 10.0)
        assert second.term.is_leading
        assert (record(rig, namespace).holder, record(rig, namespace).transitions) == (second.identity, 1)

    elect(namespace, scenario, "first", "second")


def test_one_that_vanished_is_succeeded_only_after_its_term(rig: Rig, namespace: str) -> None:
    async def scenario(first: Member, second: Member) -> None:
        await first.elector.acquire()
        waiting = asyncio.create_task(second.elector.acquire())
        while not waiting.done():
            assert not (first.term.is_leading and second.term.is_leading)
            await asyncio.sleep(0.01)
        assert not first.term.is_leading
        assert second.term.is_leading
        assert record(rig, namespace).holder == second.identity

    elect(namespace, scenario, "first", "second")


def test_a_leader_that_is_cut_off_ends_before_another_leads(rig: Rig, namespace: str, link: FaultyLink) -> None:
    async def scenario(first: Member) -> None:
        await first.elector.acquire()
        await first.makes(namespace, "while-it-leads")
        link.stall()
        with pytest.raises(LeadershipLostError, match="could not be renewed for 10 s"):
            await first.elector.hold()
        link.heal()
        assert not first.term.is_leading
        with pytest.raises(NotLeadingError, match="does not lead"):
            await first.makes(namespace, "afterwards")
        assert record(rig, namespace).holder == first.identity, "nobody else could have it yet"
        await first.elector.release()
        assert record(rig, namespace).holder == first.identity, "what is not held is not given back"

    elect(namespace, scenario, "first", link=link)


def test_a_call_that_hangs_does_not_outlive_the_term(rig: Rig, namespace: str, link: FaultyLink) -> None:
    async def scenario(first: Member) -> None:
        await first.elector.acquire()
        loop = asyncio.get_running_loop()
        limit = loop.time() + first.term.call_seconds()
        link.stall()
        with pytest.raises(UnavailableError):
            await first.makes(namespace, "late")
        # It could have run for 30 s; others may lead 15 s after the last renewal.
        assert loop.time() < limit + 1.0

    elect(namespace, scenario, "first", link=link)
    assert rig.api.get("configmaps", "late", namespace) is None


def test_a_lease_that_somebody_else_has_taken_is_lost_at_the_next_renewal(rig: Rig, namespace: str) -> None:
    async def scenario(first: Member) -> None:
        await first.elector.acquire()
        rig.api.patch("leases", NAME, namespace, {"spec": {"holderIdentity": "somebody"}})
        with pytest.raises(LeadershipLostError, match="is now somebody's"):
            await first.elector.hold()
        assert not first.term.is_leading

    elect(namespace, scenario, "first")


def test_a_lease_is_given_back_although_its_last_renewal_was_cut_short(rig: Rig, namespace: str) -> None:
    """Who ends while its renewal is on its way does not know whether that was written."""

    async def scenario(first: Member) -> None:
        await first.elector.acquire()
        rig.api.patch("leases", NAME, namespace, {"spec": {"renewTime": "2026-01-02T03:04:05.000000Z"}})
        await first.elector.release()
        assert record(rig, namespace).holder == "", "else the others wait until it has run out"

    elect(namespace, scenario, "first")


def test_what_somebody_else_has_taken_is_not_given_back(rig: Rig, namespace: str) -> None:
    async def scenario(first: Member) -> None:
        await first.elector.acquire()
        rig.api.patch("leases", NAME, namespace, {"spec": {"holderIdentity": "somebody"}})
        await first.elector.release()
        assert record(rig, namespace).holder == "somebody"

    elect(namespace, scenario, "first")


def test_a_lease_that_was_deleted_is_made_anew(rig: Rig, namespace: str) -> None:
    async def scenario(first: Member) -> None:
        await first.elector.acquire()
        rig.api.delete("leases", NAME, namespace)
        holding = asyncio.create_task(first.elector.hold())
        while rig.api.get("leases", NAME, namespace) is None:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.05)
        assert first.term.is_leading
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)

    elect(namespace, scenario, "first")


def test_of_many_who_come_at_once_one_leads(namespace: str) -> None:
    async def scenario(*members: Member) -> None:
        waiting = [asyncio.create_task(each.elector.acquire()) for each in members]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(2.0)
        assert sum(each.term.is_leading for each in members) == 1
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    elect(namespace, scenario, *(f"m{number}" for number in range(8)))


def test_one_that_waits_reads_and_changes_nothing(namespace: str) -> None:
    async def scenario(first: Member) -> None:
        assert await first.kube.get(LEASE, namespace, "none") is None
        with pytest.raises(NotLeadingError):
            await first.makes(namespace, "early")
        with pytest.raises(NotLeadingError):
            await first.kube.delete(CONFIG_MAP, namespace, "early", uid="u")
        with pytest.raises(NotLeadingError):
            await first.kube.patch(CONFIG_MAP, namespace, "early", {})

    elect(namespace, scenario, "first")


def test_what_is_refused_because_the_namespace_goes_is_told_apart(rig: Rig, namespace: str) -> None:
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "finalizers": ["tradingbot.dev/test"]}}
    going = rig.make_namespace(f"{namespace}-going"[:63])
    rig.api.create("configmaps", going, made)
    rig.api.delete("namespaces", going, None)

    async def scenario() -> None:
        async with Kube(build_kopf_settings(), OperatorMetrics(), endless_term()) as kube:
            with pytest.raises(NamespaceGoingError, match="being terminated"):
                await kube.create(CONFIG_MAP, going, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}})
            with pytest.raises(NamespaceGoingError):
                await kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late", "namespace": going}})

    asyncio.run(scenario())
    rig.api.patch("configmaps", "kept", going, {"metadata": {"finalizers": None}})


def test_an_object_is_written_only_over_the_version_that_was_read(rig: Rig, namespace: str) -> None:
    made = rig.api.create("configmaps", namespace, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}})
    rig.api.patch("configmaps", "one", namespace, {"data": {"a": "1"}})

    async def scenario() -> None:
        async with Kube(build_kopf_settings(), OperatorMetrics(), endless_term()) as kube:
            with pytest.raises(ConflictError):
                await kube.update(CONFIG_MAP, namespace, "one", made)
            assert await kube.update(CONFIG_MAP, namespace, "none", made | {"metadata": {"name": "none"}}) is None

    asyncio.run(scenario())


def test_of_two_operators_one_waits_and_goes_on_when_the_other_is_killed_or_stopped(rig: Rig, namespace: str) -> None:
    first, second = (rig.operator(namespace, LEADER_ELECTION="on", NAMESPACE=namespace, LEASE=NAME) for _ in range(2))

    def says(operator: OperatorProcess, words: str) -> Callable[[], bool]:
        return lambda: words in (operator.page("/readyz") or "")

    with first, second:
        eventually("one leads", lambda: says(first, "leads")() and record(rig, namespace).holder != "")
        leader, waiter = (first, second) if says(first, "this operator leads")() else (second, first)
        eventually("the other waits", says(waiter, "this operator waits"))
        assert "[+]leader ok: this operator waits" in (waiter.page("/healthz") or "")
        assert "tradingbot_operator_leader 1.0" in (leader.page("/metrics") or "")
        leader.kill()
        eventually("the other leads", says(waiter, "this operator leads"))
        leader.start()
        eventually("the first one waits", says(leader, "this operator waits"))
        waiter.stop()
        eventually("the first one leads again", says(leader, "this operator leads"))
        rig.api.patch("leases", NAME, namespace, {"spec": {"holderIdentity": "somebody"}})
        eventually("one that lost the lead has ended", lambda: not leader.is_running)
        assert "it no longer leads" in leader.log()
