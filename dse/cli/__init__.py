"""The command line: parse, call one function, print. Heavy imports wait inside the commands."""

from __future__ import annotations

import os
import sys

import typer

from dse.cli import designs, generate, listing, papers, report, search, spaces
from dse.errors import DseError

app = typer.Typer(
    name="dse",
    help="Explore the design space of light networks, and write the code of what is found.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (listing, designs, papers, generate, search, report, spaces):
    module.register(app)


def main() -> None:
    """Run the command line: exit code 2 and one sentence for a user's mistake, 130 after Ctrl-C."""
    try:
        app()
    except DseError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # `dse list | head` closes our stdout early; Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
