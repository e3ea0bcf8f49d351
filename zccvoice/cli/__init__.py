"""The commands. Each is a short function in a file of its own that calls the library and returns a status.

Exit status: 0 done · 1 done, but what was asked for does not hold (a bound missed, not everything stored) ·
2 wrong arguments or settings · 3 a server, file or model that is needed is not to be had · 130 interrupted.
Results go to standard output, progress and problems to standard error.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator

from zccvoice import __version__
from zccvoice.cli import (
    bench,
    db,
    demo,
    doctor,
    explain,
    export,
    models,
    recognizer,
    recompute,
    replay,
    report,
    rules,
    serve,
    simulate,
    stream,
    targets,
    top,
    transcribe,
)
from zccvoice.errors import ConfigError, ScenarioError, ZccvoiceError

_COMMANDS = (
    serve,
    doctor,
    demo,
    simulate,
    transcribe,
    replay,
    recompute,
    report,
    targets,
    top,
    rules,
    export,
    db,
    stream,
    recognizer,
    models,
    explain,
    bench,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:
        causes = list(_causes(error))  # Trio's nurseries wrap what is raised in them
        if any(isinstance(cause, KeyboardInterrupt) for cause in causes):
            print("interrupted", file=sys.stderr)
            return 128 + signal.SIGINT
        if not all(isinstance(cause, ZccvoiceError) for cause in causes):
            raise
        for line in "\n".join(map(str, causes)).splitlines():
            print(f"zccvoice: {line}", file=sys.stderr)
        return 2 if all(isinstance(cause, ConfigError | ScenarioError) for cause in causes) else 3
    return status


def _causes(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    else:
        yield error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zccvoice",
        description="On-prem voice analytics for contact centres on Zoom.",
        epilog="Settings: a TOML file (--config), then ZCCVOICE_<SECTION>__<FIELD> in the environment, "
        "then --set SECTION.FIELD=VALUE.",
    )
    parser.add_argument("--version", action="version", version=f"zccvoice {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
