"""The command line: parse, call one function, print. Heavy imports wait inside the commands."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, NoReturn

import typer

from dse.cli import (
    compare,
    data,
    designs,
    device,
    device_profile,
    diff,
    explore,
    generate,
    listing,
    papers,
    proxies,
    report,
    runs,
    search,
    spaces,
    train,
    verify,
    worker,
)
from dse.errors import DseError

app = typer.Typer(
    name="dse",
    help="Explore the design space of light networks, and write the code of what is found.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (
    listing,
    designs,
    diff,
    papers,
    generate,
    verify,
    search,
    worker,
    train,
    compare,
    report,
    explore,
    runs,
    proxies,
    data,
    spaces,
    device,
    device_profile,
):
    module.register(app)


UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for a command line it cannot read; older versions have it from click."""


def main() -> None:
    """Run the command line: exit code 2 and one sentence for a user's mistake, 130 after Ctrl-C."""
    try:
        code = _run()
        sys.stdout.flush()
        sys.exit(code)
    except DseError as error:
        _fail(str(error))
    except UsageError as error:
        if str(error).startswith("Usage:"):  # `dse` alone, answered with its help
            print(error, file=sys.stderr)
            sys.exit(2)
        _fail(_sentence(error))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:
        # `dse list | head` closes our stdout early; Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # A full disk, a folder one may not write to: the place and the system's own words.
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{(error.strerror or str(error)).lower()}")


def _run() -> int:
    """The exit code of a command; its errors come through."""
    try:
        return app(prog_name="dse", standalone_mode=False) or 0
    except SystemExit:
        # All that typer still ends by itself is a command whose reader has gone.
        raise BrokenPipeError from None


def _fail(sentence: str) -> NoReturn:
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)


def _sentence(error: Any) -> str:
    """Typer's complaint as one line, with the command whose help says more."""
    text = error.format_message()
    if isinstance(error, typer.BadParameter):
        text = re.sub(r"^Invalid value for '?([^':]+)'?: ", r"\1: ", text)
    text = text.replace("Invalid value: ", "").replace("Value error, ", "").rstrip(".")
    text = text.replace("Input should be", "must be")
    command = error.ctx.command_path if getattr(error, "ctx", None) else "dse"
    return f"{text[:1].lower()}{text[1:]}; see {command} --help"
