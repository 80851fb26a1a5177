"""What a person can do something about: one sentence on standard error and an exit code, never a traceback.

Exit codes of all commands: 0 done; 1 what was asked for could not be done, or is not so; 2 the command line, the manifest or what it
asks for is refused, or is not there; 130 and 143 stopped by Ctrl-C and by SIGTERM.
"""

from __future__ import annotations

from typing import Final

import click

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_REFUSED: Final = 2
EXIT_SIGNAL_BASE: Final = 128
"""Plus the number of the signal, as shells do it."""


class RefusedError(click.ClickException):
    """What the user wrote can't be done as it stands, or names something that is not there."""

    exit_code = EXIT_REFUSED


class FailedError(click.ClickException):
    """What was asked for could not be done, or is not so."""

    exit_code = EXIT_FAILED
