"""Entry point of ``tradingbot`` and ``kubectl tradingbot``."""

from __future__ import annotations

from tradingbot_cli.commands import tradingbot


def main() -> None:
    """Run the command and leave with its exit code."""
    tradingbot()


if __name__ == "__main__":
    main()
