"""The errors of the test cluster's tools, told apart by who must act.

Every message says what to do next: it is all that a user sees of a failure, besides
the end of the log that the failed command left.
"""

from __future__ import annotations

EXIT_FAILED = 1
EXIT_UNSUITABLE = 3


class ClusterError(Exception):
    """Something failed; the message says what and what to try."""

    exit_code = EXIT_FAILED


class UnsuitableError(ClusterError):
    """This machine cannot run the cluster as it is; the message says what to install."""

    exit_code = EXIT_UNSUITABLE


class CommandFailedError(ClusterError):
    """A command that was expected to work ended with an error."""

    def __init__(self, argv: list[str], reason: str, output: str) -> None:
        self.argv = argv
        self.reason = reason
        self.output = output
        tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-25:])
        super().__init__(f"`{' '.join(argv)[:300]}` {reason}" + (f"; it printed at last:\n{tail}" if tail else ""))
