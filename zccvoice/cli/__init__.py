"""The commands. Each is a short function in a file of its own that calls the library and returns a status.

Exit status: 0 done · 1 done, but what was asked for does not hold (a bound missed, not everything stored) ·
2 wrong arguments or settings · 3 a server, file or model that is needed is not to be had · 130 interrupted.
Results go to standard output, progress and problems to standard error.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Iterator

from zccvoice import __version__
from zccvoice.errors import ConfigError, ScenarioError, ZccvoiceError

_COMMANDS = {
    "serve": "run the daemon",
    "doctor": "look whether everything is in order",
    "demo": "play demo calls and show what comes out",
    "simulate": "play calls as Zoom would",
    "transcribe": "transcribe recordings",
    "replay": "make a call's rows anew from its journal",
    "recompute": "measure stored calls again",
    "report": "show stored measures",
    "targets": "target ranges of the measures",
    "top": "the calls that run now, in the terminal",
    "rules": "check, try and apply rules",
    "export": "write the sound or the transcript of a call",
    "db": "upgrade, open, move the database; erase calls",
    "stream": "start, stop, pause or resume a stream at Zoom",
    "recognizer": "serve the recognizer to daemons on other machines",
    "models": "weights of the recognizer",
    "explain": "what a stop reason, status code or cause means",
    "bench": "measure",
}
"""Each is the module of its name here, which is imported when the command is asked for: some take seconds."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments[:1]).parse_args(arguments)
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


def _parser(asked: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zccvoice",
        description="On-prem voice analytics for contact centres on Zoom.",
        epilog="Settings: a TOML file (--config), then ZCCVOICE_<SECTION>__<FIELD> in the environment, "
        "then --set SECTION.FIELD=VALUE.",
    )
    parser.add_argument("--version", action="version", version=f"zccvoice {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, what in _COMMANDS.items():
        if name in asked:
            importlib.import_module(f"{__name__}.{name}").add_to(commands)
        else:
            commands.add_parser(name, help=what)
    return parser
