"""Entry point of ``tradingbot`` and ``kubectl tradingbot``: whatever happens, a person reads a sentence and a script an exit code."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tradingbot_cli.errors import EXIT_DONE, EXIT_FAILED, EXIT_SIGNAL_BASE
from tradingbot_cli.streams import drop_output, is_full, prepare_streams


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(run(sys.argv))


def run(arguments: list[str]) -> int:
    """Run a command line, the program's name first; return its exit code."""
    import click  # noqa: PLC0415 - Ctrl-C while it is imported ends the program as at any other time

    prepare_streams()
    output = sys.stdout
    try:
        from tradingbot_cli.commands import tradingbot  # noqa: PLC0415 - as above

        code = tradingbot.main(arguments[1:], prog_name=program_name(arguments[0]), standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return EXIT_SIGNAL_BASE + signal.SIGINT
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit:
        if sys.stdout is output:
            raise
        return _leave_unread()  # click puts something else in its place, and ends with 1, where nobody reads
    except BrokenPipeError:
        return _leave_unread()
    except OSError as error:
        if not is_full(error):
            raise
        drop_output()
        click.echo(f"Error: {error.filename or 'the output'}: can't be written: {error.strerror}", err=True)
        return EXIT_FAILED
    return code if isinstance(code, int) else EXIT_DONE


def _leave_unread() -> int:
    """Leave quietly: whoever read the output has seen enough."""
    drop_output()
    return EXIT_SIGNAL_BASE + signal.SIGPIPE


def program_name(path: str) -> str:
    """Return what people called: kubectl finds its plugins by their names."""
    name = Path(path).name
    if name == "__main__.py":
        return "tradingbot"
    return "kubectl tradingbot" if name.startswith("kubectl-") else name


if __name__ == "__main__":
    main()
