"""Says whether an installation is whole, and what is missing: ``python -m tradingbot_operator.installation_check``, for ``helm test``.

It runs in a pod of the operator's own image, which has no shell. Right after an installation the operators are still starting: it asks
again until everything is as it should be, or its time is up. What the API server serves is there sooner, so it is waited for less.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tradingbot_operator.installation import OPENAPI_PATH, RESOURCES_PATH, Installation, Seen, judge
from tradingbot_operator.liveness import render_checks

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_ANSWER_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 1.0
_SERVED_SECONDS: Final = 5.0
"""How long the API server may take from a changed CRD to the documents that describe it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Look until all is well or the time is up, print what was found last, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tradingbot_operator.installation_check", description=__doc__)
    parser.add_argument("--operator", required=True, metavar="URL", help="base address of the operator's pages")
    parser.add_argument("--within", type=float, default=60.0, metavar="SECONDS", help="how long to wait until all is well")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    while True:
        found = read_installation(options.operator, os.environ)
        checks = judge(found)
        within = options.within if found.is_starting else min(options.within, _SERVED_SECONDS)
        if all(check.passed for check in checks) or time.monotonic() - started >= within:
            break
        time.sleep(_PAUSE_SECONDS)
    passed = all(check.passed for check in checks)
    sys.stdout.write(render_checks(checks, "installation"))
    return 0 if passed else 1


def read_installation(operator: str, environment: Mapping[str, str]) -> Installation:
    """Ask the operator at its base address, and the API server that the environment of a pod names."""
    api = f"https://{_bracket(environment.get('KUBERNETES_SERVICE_HOST', 'localhost'))}:{environment.get('KUBERNETES_SERVICE_PORT', '443')}"
    return Installation(
        alive=read_page(operator, "/healthz"),
        ready=read_page(operator, "/readyz"),
        resources=_read_json(api, RESOURCES_PATH),
        openapi=_read_json(api, OPENAPI_PATH),
    )


def read_page(base: str, path: str, headers: Mapping[str, str] | None = None) -> Seen:
    """Return what is at ``path``, or why there is no answer."""
    address = urlsplit(base)
    assert address.hostname is not None, f"{base} names no host"
    connection: http.client.HTTPConnection
    try:
        if address.scheme == "https":
            context = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
            connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=_ANSWER_SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            response = connection.getresponse()
            return Seen(response.status, response.read().decode(errors="replace"))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        return Seen(0, f"{base}{path}: {error or type(error).__name__}")


def _read_json(base: str, path: str) -> Seen:
    token = _ACCOUNT / "token"
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token.read_text().strip()}"} if token.is_file() else {})
    seen = read_page(base, path, headers)
    return Seen(seen.status, seen.text, json.loads(seen.text)) if seen.status == http.client.OK else seen


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
