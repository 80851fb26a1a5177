"""The network policy: nothing goes in or out of the bot's pod but what is named here.

In: reports and metrics, for the operator, for whoever scrapes, and for the bot's own namespace. Out: DNS, and one port for each thing
that the spec says is out there. A bot on a replay needs no more than DNS. A policy knows addresses and no names, so a port is open to
anywhere.
"""

from __future__ import annotations

import re
from typing import Any, Final

from tradingbot_contract.endpoints import ENGINE_PORT, OBSERVER_PORT
from tradingbot_contract.spec import NewsType
from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.desired.models import needs_hub
from tradingbot_operator.names import child_metadata, selector_labels, workload_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings

HTTPS_PORT: Final = 443
_PORTS: Final = {"http": 80, "https": HTTPS_PORT}
_ADDRESS: Final = re.compile(r"(?P<scheme>https?)://(\[[^]]*\]|[^:/?#]*)(:(?P<port>[0-9]+))?")


def build_network_policy(
    bot: TradingBot,
    settings: OperatorSettings,
    layout: Layout,  # noqa: ARG001 - all builders take the same
) -> dict[str, Any]:
    """Return the NetworkPolicy."""
    # The operator's namespace first, then those of whoever scrapes.
    namespaces = dict.fromkeys((settings.namespace, *settings.monitoring.scrape_namespaces))
    others = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}} for namespace in namespaces]
    # To anywhere, because a cluster's DNS may answer at an address of the node.
    egress = [{"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}]
    needed = needed_ports(bot)
    if needed:
        egress.append({"ports": [{"protocol": "TCP", "port": port} for port in needed]})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": child_metadata(bot, workload_name(bot)),
        "spec": {
            "podSelector": {"matchLabels": selector_labels(bot)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [*others, {"podSelector": {}}],
                    "ports": [{"protocol": "TCP", "port": ENGINE_PORT}, {"protocol": "TCP", "port": OBSERVER_PORT}],
                }
            ],
            "egress": egress,
        },
    }


def needed_ports(bot: TradingBot) -> list[int]:
    """Return the TCP ports, beside the DNS's, that the engine needs to reach what its spec names."""
    spec = bot.spec
    ports = set()
    if spec.database.url_secret_ref is not None:
        ports.add(spec.database.port)
    if spec.redis is not None:
        ports.add(spec.redis.port)
    news = spec.market.news
    addresses = (news.http.url if news and news.type is NewsType.HTTP and news.http else None, spec.observability.otlp_endpoint)
    ports |= {_port(address) for address in addresses if address is not None}
    if needs_hub(spec.prediction):
        ports.add(HTTPS_PORT)
    return sorted(ports)


def _port(address: str) -> int:
    found = _ADDRESS.match(address)
    assert found is not None, "the spec's pattern lets no other address through"
    return int(found["port"]) if found["port"] else _PORTS[found["scheme"]]
