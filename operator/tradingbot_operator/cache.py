"""The cluster as the watches have shown it: bots, their children, their pods.

Each object belongs to the bot that its controller names, so what one pass needs is found without a search. An older version never
replaces a newer one: answers to our own writes and events of a watch arrive in any order. (Resource versions of one kind are
ordered numbers.)

Bots that name an account are also found by it. One that takes up, changes or gives up a claim to it wakes the others, because what they
may trade depends on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from tradingbot_operator.accounts import Claim
from tradingbot_operator.claims import read_claims
from tradingbot_operator.kinds import BOT, POD, ObjectKey, key_of
from tradingbot_operator.names import INSTANCE_LABEL
from tradingbot_operator.pod_facts import read_pod_facts
from tradingbot_operator.world import PodFacts

Object = dict[str, Any]


class BotKey(Struct, frozen=True, order=True):
    """Which bot."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Unseen(Struct, frozen=True):
    """A change that a list shows and no watch has brought."""

    namespace: str
    name: str
    version: int | None
    """Of the object; None: it is gone."""


class _Entry(Struct):
    version: int
    uid: str
    object: Object
    pod: PodFacts | None = None


class Cache:
    """All objects that the operator watches."""

    def __init__(self, wake: Callable[[BotKey], None] = lambda _: None) -> None:
        """Make an empty cache; `wake` is called with bots that another bot's change concerns."""
        self._wake = wake
        self._claims: defaultdict[str, dict[BotKey, Claim]] = defaultdict(dict)
        """By account."""
        self._bots: dict[BotKey, _Entry] = {}
        self._gone: defaultdict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
        """Namespace and last version of objects that ended since the last list, by kind and uid: a list or an answer that is older must
        not bring them back."""
        self._belongings: defaultdict[BotKey, dict[ObjectKey, _Entry]] = defaultdict(dict)

    def put(self, item: Mapping[str, Any]) -> BotKey | None:
        """Take in an object; return the bot to look at, or None when nothing is new."""
        bot, entries, key = self._place(item)
        metadata = item["metadata"]
        version = int(metadata["resourceVersion"])
        known = entries.get(key)
        if (known is not None and known.version >= version) or metadata["uid"] in self._gone[item["kind"]]:
            return None
        trimmed = {**item, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}
        if item["kind"] == POD.name:
            entries[key] = _Entry(version, metadata["uid"], {}, read_pod_facts(item))
        else:
            entries[key] = _Entry(version, metadata["uid"], trimmed)
        if item["kind"] == BOT.name:
            self._claim(bot, known.object if known else None, trimmed)
        return bot

    def remove(self, item: Mapping[str, Any]) -> BotKey | None:
        """Forget an object that is gone; return the bot to look at. A newer one of the same name stays."""
        bot, entries, key = self._place(item)
        metadata = item["metadata"]
        version = int(metadata["resourceVersion"])
        self._gone[item["kind"]][metadata["uid"]] = (metadata["namespace"], version)
        known = entries.get(key)
        if known is None or (known.uid != metadata["uid"] and known.version >= version):
            return None
        self._drop(bot, entries, key)
        if not entries and entries is not self._bots:
            self._belongings.pop(bot, None)
        return bot

    def replace(self, kind: str, namespace: str | None, items: Iterable[Mapping[str, Any]], version: int) -> set[BotKey]:
        """Take in a whole list as of a version; return the bots to look at.

        What is known, is not in the list, and is not younger than it, is gone.
        """
        changed: set[BotKey] = set()
        listed = set()
        for item in items:
            listed.add((item["metadata"]["namespace"], item["metadata"]["name"]))
            bot = self.put(item)
            if bot is not None:
                changed.add(bot)
        for bot, entries, key in self._of_kind(kind, namespace):
            if (bot.namespace, key.name) not in listed and entries[key].version <= version:
                self._drop(bot, entries, key)
                changed.add(bot)
        gone = self._gone[kind]
        for uid in [uid for uid, (place, ended) in gone.items() if namespace in {None, place} and ended <= version]:
            del gone[uid]  # the next list is younger than they are
        return changed

    def unseen(self, kind: str, namespace: str | None, items: Iterable[Mapping[str, Any]], version: int) -> set[Unseen]:
        """Return what a whole list as of a version has, or no longer has, and the cache does not know yet."""
        found, listed = set(), set()
        for item in items:
            metadata = item["metadata"]
            _, entries, key = self._place(item, make=False)
            listed.add((metadata["namespace"], metadata["name"]))
            known, current = entries.get(key), int(metadata["resourceVersion"])
            if (known is None or known.version < current) and metadata["uid"] not in self._gone[kind]:
                found.add(Unseen(metadata["namespace"], metadata["name"], current))
        for bot, entries, key in self._of_kind(kind, namespace):
            if (bot.namespace, key.name) not in listed and entries[key].version <= version:
                found.add(Unseen(bot.namespace, key.name, None))
        return found

    def claims(self, account: str) -> tuple[Claim, ...]:
        """Return what bots claim of an account."""
        return tuple(self._claims.get(account, {}).values())

    def bot(self, bot: BotKey) -> Object | None:
        entry = self._bots.get(bot)
        return entry.object if entry else None

    def bots(self) -> tuple[BotKey, ...]:
        return tuple(self._bots)

    def children(self, bot: BotKey) -> dict[ObjectKey, Object]:
        return {key: entry.object for key, entry in self._entries(bot) if entry.pod is None}

    def pods(self, bot: BotKey) -> tuple[PodFacts, ...]:
        return tuple(entry.pod for _, entry in self._entries(bot) if entry.pod is not None)

    def all_pods(self) -> Iterable[tuple[BotKey, PodFacts]]:
        """Return every pod with the bot that it belongs to."""
        for bot, entries in self._belongings.items():
            for entry in entries.values():
                if entry.pod is not None:
                    yield bot, entry.pod

    def _entries(self, bot: BotKey) -> Iterable[tuple[ObjectKey, _Entry]]:
        return self._belongings.get(bot, {}).items()

    def _drop(self, bot: BotKey, entries: dict[Any, _Entry], key: Any) -> None:
        entry = entries.pop(key)
        if entries is self._bots:
            self._claim(bot, entry.object, None)

    def _claim(self, bot: BotKey, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Take in what a bot claims now, and wake those who claim the same account if that has changed."""
        earlier, now = (read_claims(body) if body is not None else {} for body in (before, after))
        for account in earlier.keys() | now.keys():
            if earlier.get(account) == now.get(account):
                continue
            claims = self._claims[account]
            claims.pop(bot, None)
            if account in now:
                claims[bot] = now[account]
            for other in claims:
                if other != bot:
                    self._wake(other)
            if not claims:
                del self._claims[account]

    def _place(self, item: Mapping[str, Any], *, make: bool = True) -> tuple[BotKey, dict[Any, _Entry], Any]:
        """Return the bot of an object, and where it stands among that bot's; `make`: also for a bot that has nothing yet."""
        metadata = item["metadata"]
        if item["kind"] == BOT.name:
            bot = BotKey(metadata["namespace"], metadata["name"])
            return bot, self._bots, bot
        bot = BotKey(metadata["namespace"], _bot_name(metadata))
        return bot, self._belongings[bot] if make else self._belongings.get(bot, {}), key_of(item)

    def _of_kind(self, kind: str, namespace: str | None) -> list[tuple[BotKey, dict[Any, _Entry], Any]]:
        if kind == BOT.name:
            return [(bot, self._bots, bot) for bot in self._bots if namespace in {None, bot.namespace}]
        return [
            (bot, entries, key)
            for bot, entries in self._belongings.items()
            if namespace in {None, bot.namespace}
            for key in entries
            if key.kind == kind
        ]


def _bot_name(metadata: Mapping[str, Any]) -> str:
    """Return the name of the bot that an object belongs to."""
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            # A child is controlled by its bot; a pod by the bot's StatefulSet, which has the bot's name.
            name: str = owner["name"]
            return name
    label: str = (metadata.get("labels") or {}).get(INSTANCE_LABEL, "")
    return label
