"""Who may trade an account: by tables, and over histories in which everybody judges by what was true a while ago."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from tradingbot_operator.accounts import Claim, find_rival, may_take, next_claimed

SYMBOLS = ("ADA", "BTC", "ETH")


def claim(name: str, symbols: str, *, claimed: str = "", holding: str = "", created_at: float = 0.0, account: str = "main") -> Claim:
    return Claim(
        namespace="trading",
        name=name,
        uid=f"uid-{name}",
        created_at=created_at,
        account=account,
        symbols=frozenset(symbols.split()),
        claimed=frozenset(claimed.split()),
        holding=frozenset(holding.split()),
    )


@pytest.mark.parametrize(
    ("own", "other", "is_rival"),
    [
        pytest.param(claim("a", "BTC"), claim("b", "ETH", holding="ETH"), False, id="other symbols"),
        pytest.param(claim("a", "BTC"), claim("b", "BTC", holding="BTC", account="other"), False, id="another account"),
        pytest.param(claim("a", "BTC"), claim("a", "BTC"), False, id="itself"),
        pytest.param(claim("a", "BTC"), claim("b", "BTC", holding="BTC", created_at=9), True, id="a younger one holds it"),
        pytest.param(claim("a", "BTC", holding="BTC"), claim("b", "BTC"), False, id="it holds it"),
        pytest.param(claim("b", "BTC", holding="BTC", created_at=9), claim("a", "BTC"), False, id="it holds it, an older one wants it"),
        pytest.param(claim("a", "BTC"), claim("b", "BTC", created_at=9), False, id="nobody has it, and it is the older"),
        pytest.param(claim("b", "BTC", created_at=9), claim("a", "BTC"), True, id="nobody has it, and it is the younger"),
        pytest.param(claim("b", "BTC"), claim("a", "BTC"), True, id="of one second: their uids decide"),
        pytest.param(claim("a", "BTC"), claim("b", "BTC", claimed="BTC", created_at=9), True, id="a younger one has claimed it"),
        pytest.param(
            claim("b", "BTC", claimed="BTC", created_at=9), claim("a", "BTC"), False, id="it has claimed it, an older one has not"
        ),
        pytest.param(
            claim("a", "BTC", claimed="BTC"), claim("b", "BTC", claimed="BTC", created_at=9), False, id="both claim it: the older"
        ),
        pytest.param(
            claim("b", "BTC", claimed="BTC", created_at=9), claim("a", "BTC", claimed="BTC"), True, id="both claim it: the younger"
        ),
        pytest.param(
            claim("a", "BTC ETH", holding="BTC"), claim("b", "ETH", holding="ETH", created_at=9), True, id="it adds what another holds"
        ),
        pytest.param(claim("a", "BTC"), claim("b", "ETH", holding="BTC ETH"), True, id="another is still giving it up"),
        pytest.param(claim("a", "ETH", holding="BTC ETH"), claim("b", "BTC"), False, id="it is still giving up what another wants"),
    ],
)
def test_a_bot_waits_for_one_that_has_what_it_lacks_or_is_older(own: Claim, other: Claim, *, is_rival: bool) -> None:
    assert find_rival(own, [other]) == (other if is_rival else None)


def test_an_older_bot_that_is_kept_off_keeps_nobody_off() -> None:
    holder = claim("holder", "ETH", claimed="ETH", holding="ETH")
    older = claim("older", "BTC ETH", created_at=1)
    younger = claim("younger", "BTC", created_at=2)
    assert find_rival(older, [holder, younger]) == holder
    assert find_rival(younger, [holder, older]) is None


def test_a_bot_that_cannot_have_all_claims_only_what_it_holds() -> None:
    own = claim("a", "ADA BTC ETH", claimed="BTC", holding="BTC")
    assert next_claimed(own, [claim("b", "ETH", holding="ETH")]) == {"BTC"}
    assert next_claimed(own, []) == {"ADA", "BTC", "ETH"}


def test_a_bot_takes_only_what_it_has_claimed_a_pass_before() -> None:
    assert not may_take(claim("a", "BTC"), [])
    assert may_take(claim("a", "BTC", claimed="BTC"), [])
    assert not may_take(claim("a", "BTC ETH", claimed="BTC"), [])


def test_a_bot_whose_claim_stays_waits_until_the_younger_one_has_withdrawn_its() -> None:
    own, younger = claim("a", "BTC", claimed="BTC"), claim("b", "BTC", claimed="BTC", created_at=9)
    assert find_rival(own, [younger]) is None
    assert not may_take(own, [younger])
    assert next_claimed(younger, [own]) == frozenset()


def test_what_is_held_is_kept_whatever_others_want() -> None:
    own = claim("a", "BTC", holding="BTC", created_at=9)
    others = [claim("b", "BTC", claimed="BTC"), claim("c", "BTC")]
    assert find_rival(own, others) is None
    assert may_take(own, others)


_SETS = st.frozensets(st.sampled_from(SYMBOLS))


@st.composite
def _claims(draw: st.DrawFn) -> list[Claim]:
    """A fleet as it can be: nobody holds what another holds, and a bot claims what it holds."""
    free = set(SYMBOLS)
    fleet = []
    for number in range(draw(st.integers(2, 4))):
        holding = frozenset(draw(_SETS) & free)
        free -= holding
        fleet.append(
            Claim(
                namespace="trading",
                name=f"bot-{number}",
                uid=f"uid-{number}",
                created_at=draw(st.integers(0, 2)),
                account="main",
                symbols=draw(st.frozensets(st.sampled_from(SYMBOLS), min_size=1)),
                claimed=draw(_SETS) | holding,
                holding=holding,
            )
        )
    return fleet


@given(_claims())
def test_of_two_bots_that_lack_the_same_symbol_at_most_one_may_take_it(fleet: list[Claim]) -> None:
    takers = [own for own in fleet if may_take(own, fleet)]
    for one, two in itertools.combinations(takers, 2):
        assert not (one.lacking | one.holding) & (two.lacking | two.holding)


@given(_claims())
def test_of_two_bots_that_hold_nothing_and_want_the_same_exactly_one_has_a_rival(fleet: list[Claim]) -> None:
    one, two = (_without_anything(own) for own in fleet[:2])
    if one.symbols & two.symbols:
        assert (find_rival(one, [two]) is None) != (find_rival(two, [one]) is None)


def _without_anything(own: Claim) -> Claim:
    """Return a claim that is written for all or for nothing, and holds nothing."""
    return replace(own, claimed=own.symbols if own.claimed else frozenset(), holding=frozenset())


@given(_claims(), st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_of_the_others(fleet: list[Claim], chance: random.Random) -> None:
    shuffled = list(fleet)
    chance.shuffle(shuffled)
    assert [find_rival(own, fleet) for own in fleet] == [find_rival(own, shuffled) for own in fleet]


@dataclass
class Fleet:
    """Bots at an API server, and the whole history of what it has stored: a cache is a prefix of that."""

    history: list[Claim] = field(default_factory=list)

    def seen(self, length: int) -> dict[str, tuple[Claim, int]]:
        return {claim.uid: (claim, version) for version, claim in enumerate(self.history[:length])}

    def store(self, claim: Claim) -> None:
        self.history.append(claim)


class Passes(RuleBasedStateMachine):
    """Passes over bots that name one account, each by a cache of some age, and writes that come late or not at all."""

    checks_versions = True

    def __init__(self) -> None:
        super().__init__()
        self.fleet = Fleet()
        self.waiting: list[tuple[int, Claim]] = []
        """Writes that an operator has decided on and not made, with the version that they are of."""

    @property
    def bots(self) -> dict[str, tuple[Claim, int]]:
        return self.fleet.seen(len(self.fleet.history))

    @rule(symbols=st.frozensets(st.sampled_from(SYMBOLS), min_size=1), created_at=st.integers(0, 1), uid=st.integers(0, 99))
    def create(self, symbols: frozenset[str], created_at: float, uid: int) -> None:
        if len(self.bots) < 4 and f"uid-{uid}" not in self.bots:
            name = f"{uid}"
            self.fleet.store(replace(claim(name, "", created_at=created_at), symbols=symbols))

    @rule(which=st.integers(0, 3), symbols=st.frozensets(st.sampled_from(SYMBOLS), min_size=1))
    def change_spec(self, which: int, symbols: frozenset[str]) -> None:
        for known, _ in list(self.bots.values())[which : which + 1]:
            self.fleet.store(replace(known, symbols=symbols))

    @rule(which=st.integers(0, 3), age=st.integers(0, 4), late=st.booleans())
    def look(self, which: int, age: int, *, late: bool) -> None:
        seen = self.fleet.seen(len(self.fleet.history) - age)
        for own, version in list(seen.values())[which : which + 1]:
            others = [other for other, _ in seen.values()]
            # Engines let go of what isn't wanted any more, and are given what is.
            taken = own.symbols if may_take(own, others) else own.holding
            told = replace(own, claimed=next_claimed(own, others) | taken, holding=taken)
            self.waiting.append((version, told))
            if not late:
                self.write(len(self.waiting) - 1)

    @rule(which=st.integers(0, 9))
    def write(self, which: int) -> None:
        if which >= len(self.waiting):
            return
        version, told = self.waiting.pop(which)
        if (self.bots[told.uid][1] == version or not self.checks_versions) and self.fleet.history[version] != told:
            self.fleet.store(told)

    @rule()
    def come_to_rest(self) -> None:
        for _ in range(12):
            before = len(self.fleet.history)
            for which in range(len(self.bots)):
                self.look(which, 0, late=False)
            if len(self.fleet.history) == before:
                break
        else:
            pytest.fail("the bots write and write")
        fleet = [known for known, _ in self.bots.values()]
        for own in fleet:
            rival = find_rival(own, fleet)
            assert own.holding == own.symbols if rival is None else rival.holding & own.lacking

    @invariant()
    def nobody_holds_what_another_holds(self) -> None:
        for one, two in itertools.combinations([known for known, _ in self.bots.values()], 2):
            assert not one.holding & two.holding, f"two hold {one.holding & two.holding}"


Passes.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestPasses = Passes.TestCase


def walk(seed: int, steps: int) -> None:
    """Let so many things happen to three bots that want the same two or three symbols, most of them by a late cache."""
    choose = random.Random(seed)  # noqa: S311 - a history that can be told again
    passes = Passes()
    for uid in choose.sample(range(9), 3):
        passes.create(frozenset(choose.sample(SYMBOLS[:2], choose.randint(1, 2))), choose.randint(0, 1), uid)
    for _ in range(steps):
        kind = choose.choices(("look", "write", "change"), weights=(8, 3, 1))[0]
        if kind == "look":
            passes.look(choose.randrange(3), choose.choice((0, 0, 1, 2, 3)), late=choose.random() < 0.5)
        elif kind == "write":
            passes.write(choose.randrange(max(1, len(passes.waiting))))
        else:
            passes.change_spec(choose.randrange(3), frozenset(choose.sample(SYMBOLS, choose.randint(1, 2))))
        passes.nobody_holds_what_another_holds()
    passes.come_to_rest()


def walk_all(count: int) -> None:
    for seed in range(count):
        walk(seed, 100)


def test_over_no_history_do_two_bots_hold_one_symbol() -> None:
    walk_all(100)


def _without_a_claim(own: Claim, others: list[Claim]) -> bool:
    return not any(other.taken & own.lacking for other in others if other.uid != own.uid)


def _by_holdings_only(own: Claim, others: list[Claim]) -> bool:
    return own.lacking <= own.claimed and not any(other.holding & own.lacking for other in others if other.uid != own.uid)


@pytest.mark.parametrize("may_take_by", [_without_a_claim, _by_holdings_only])
def test_claims_are_needed(may_take_by: Callable[[Claim, list[Claim]], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "may_take", may_take_by)
    with pytest.raises(AssertionError, match="two hold"):
        walk_all(1000)


def test_that_a_status_is_written_only_over_the_version_that_was_judged_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Passes, "checks_versions", False)
    with pytest.raises(AssertionError, match="two hold"):
        walk_all(1000)
