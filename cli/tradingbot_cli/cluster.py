"""Bots in a cluster, as a person asks for them: read, list, watch, change; their pods, children, Events, logs and pages.

Whoever reads a bot that is not there, or a cluster without the resource, hears what there is instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from tradingbot_cli.bot_names import describe_missing
from tradingbot_cli.connection import MERGE, ApiError, Connection, Object, Target
from tradingbot_cli.errors import RefusedError
from tradingbot_cli.port_forward import read_page
from tradingbot_operator.kinds import BOT, EVENT, POD, Kind
from tradingbot_operator.names import COMPONENT_LABEL, INSTANCE_LABEL, MANAGED_SELECTOR

FIELD_MANAGER: Final = "tradingbot-cli"
PAGE_SIZE: Final = "500"
NO_RESOURCE: Final = (
    "this cluster has no TradingBots: install the operator first (helm install, or manifests/install.yaml), or choose --context"
)


class Cluster:
    """A cluster, and the namespace that is meant when none is named."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.namespace = connection.namespace

    # Reading

    def read_bot(self, name: str) -> Object:
        """Return a bot.

        Raises:
            RefusedError: there is none of this name; the message says what there is.
        """
        try:
            return self.connection.ask("GET", BOT.path(self.namespace, name))
        except ApiError as error:
            raise self._missing(error, name) from error

    def list_bots(self, *, all_namespaces: bool = False) -> list[Object]:
        """Return the bots of the namespace, or of all, by namespace and name."""
        return self.list_objects(BOT, None if all_namespaces else self.namespace)

    def list_pods(self, bot: str) -> list[Object]:
        """Return a bot's pods by name, those on their way out included."""
        return self.list_objects(POD, self.namespace, labelSelector=f"{INSTANCE_LABEL}={bot},{COMPONENT_LABEL}=engine")

    def list_events(self, bot: Mapping[str, Any]) -> list[Object]:
        """Return the Events of a bot, oldest first; none of an earlier bot of its name."""
        found = self.list_objects(EVENT, self.namespace, fieldSelector=f"involvedObject.uid={bot['metadata']['uid']}")
        return sorted(found, key=event_time)

    def list_objects(self, kind: Kind, namespace: str | None, **query: str) -> list[Object]:
        """Return all objects of a kind, by namespace and name; each says its kind, as one that is read alone does.

        Raises:
            RefusedError: the cluster has no such kind.
        """
        items: list[Object] = []
        more = {"limit": PAGE_SIZE, **query}
        while True:
            try:
                page = self.connection.ask("GET", kind.path(namespace), query=more)
            except ApiError as error:
                raise self._missing(error, "") from error
            items += [{"apiVersion": kind.api_version, "kind": kind.name} | item for item in page["items"]]
            rest = page["metadata"].get("continue")
            if not rest:
                return sorted(items, key=lambda item: (item["metadata"].get("namespace", ""), item["metadata"]["name"]))
            more = {**more, "continue": rest}

    def list_children(self, bot: str, kind: Kind) -> list[Object]:
        """Return the objects of a kind that the operator made for a bot."""
        return self.list_objects(kind, self.namespace, labelSelector=f"{INSTANCE_LABEL}={bot},{MANAGED_SELECTOR}")

    def read_page(self, pod: str, port: int, path: str) -> bytes:
        """Return a page of a bot's pod (its engine's, its observer's), by forwarding the port.

        Raises:
            PageError: nobody answers there, or not with 200.
        """
        return read_page(self.connection, self.namespace, pod, port, path)

    def watch(self, kind: Kind, namespace: str | None, **query: str) -> Iterator[tuple[str, Object]]:
        """Yield what changes from now on, as ADDED (what is there, first), MODIFIED or DELETED; it ends when the API server ends it."""
        try:
            for line in self.connection.stream(kind.path(namespace), query={"watch": "true", **query}):
                event = msgspec.json.decode(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]
        except ApiError as error:
            raise self._missing(error, "") from error

    def read_log(self, pod: str, **query: str) -> Iterator[bytes]:
        """Yield the lines of a container's log; `query` as the API has it: container, follow, previous, tailLines, timestamps."""
        return self.connection.stream(POD.path(self.namespace, pod, "log"), query=query)

    # Changing

    def patch_bot(self, name: str, change: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Merge a change into a bot; return it as it is then.

        Args:
            name: The bot.
            change: What to merge.
            dry_run: Whether the API server only says what would come of it: its rules hold, and nothing is stored.

        Raises:
            RefusedError: there is no such bot, or the API server's rules refuse the change.
        """
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        try:
            return self.connection.ask("PATCH", BOT.path(self.namespace, name), query=query, body=change, content_type=MERGE)
        except ApiError as error:
            if error.status in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST}:
                raise RefusedError(describe_refusal(error)) from error
            raise self._missing(error, name) from error

    def patch_pod(self, name: str, change: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Merge a change into a pod; `dry_run` as for :meth:`patch_bot`."""
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        return self.connection.ask("PATCH", POD.path(self.namespace, name), query=query, body=change, content_type=MERGE)

    # What is not there

    def _missing(self, error: ApiError, name: str) -> Exception:
        """Return what to say in place of a plain 404."""
        if error.status != HTTPStatus.NOT_FOUND:
            return error
        if not error.body.get("details"):
            return RefusedError(NO_RESOURCE)  # a path that the API server does not know has no details
        if not name:
            return error
        return RefusedError(describe_missing(name, self.namespace, self._names(), self._namespaces_with(name)))

    def _names(self) -> list[str] | None:
        try:
            return [item["metadata"]["name"] for item in self.list_bots()]
        except ApiError:
            return None  # who may read a bot that is named need not have the right to list them

    def _namespaces_with(self, name: str) -> list[str]:
        try:
            found = self.list_objects(BOT, None, fieldSelector=f"metadata.name={name}")
        except ApiError:
            return []  # who may not look into other namespaces is not told of them
        return [item["metadata"]["namespace"] for item in found]


def connect(target: Target) -> Cluster:
    """Return the cluster that a command line asks for; nothing is asked of it yet.

    Raises:
        RefusedError: the kubeconfig can't be used.
    """
    return Cluster(Connection(target))


def event_time(event: Mapping[str, Any]) -> str:
    """Return when an Event last happened, RFC 3339; empty where it does not say."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def describe_refusal(error: ApiError) -> str:
    """Return why the API server refuses a change: the causes, each with its field, without what stands around them."""
    causes = (error.body.get("details") or {}).get("causes") or ()
    parts = [f"{cause.get('field', '')}: {_plain(cause.get('message', ''))}" for cause in causes]
    return "; ".join(dict.fromkeys(part.removeprefix("<nil>: ") for part in parts)) or error.message


def _plain(message: str) -> str:
    """Return the text of a broken rule without the value of the whole section that the API server puts before it."""
    _, found, rule = message.partition('Invalid value: "object": ')
    return rule if found else message
