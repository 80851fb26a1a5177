"""The operator's program, ended by itself around one of its calls that change something: ``interrupted_operator K before|after FILE``.

Every call that changes something is counted: objects, statuses, deletions, Events. Those by which it holds its Lease are not, because their
number depends on the clock. Each is noted in FILE; the K-th is the process's last act (0: none is).
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

from tradingbot_operator import __main__ as program
from tradingbot_operator.kube import Kube

EXIT_CODE = 9


def main() -> int:
    """Run the operator with its calls counted."""
    at_call, when, notes = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).open("w")  # noqa: SIM115 - open as long as the process
    numbers = itertools.count(1)
    send = Kube._send

    async def counted(kube: Kube, session: Any, request: Any) -> tuple[int, bytes]:
        if request.verb == "GET" or "/leases" in request.path:
            return await send(kube, session, request)
        number = next(numbers)
        notes.write(f"{request.verb} {request.path}\n")
        notes.flush()
        if number == at_call and when == "before":
            os._exit(EXIT_CODE)
        answer = await send(kube, session, request)
        if number == at_call:
            os._exit(EXIT_CODE)
        return answer

    setattr(Kube, "_send", counted)  # noqa: B010 - by assignment it would have to have the very type
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
