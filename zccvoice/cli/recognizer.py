"""``zccvoice recognizer``: the weights of this machine for daemons on others."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Any

import trio

from zccvoice.cli import settings
from zccvoice.config import Config
from zccvoice.daemon import log
from zccvoice.daemon.metrics import Metrics
from zccvoice.daemon.recognition_server import RecognitionServer
from zccvoice.errors import ConfigError
from zccvoice.speech.whisper import WhisperRecognizer


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "recognizer",
        description="Serve the weights in speech.model over HTTP, at /v1/audio/transcriptions, until SIGTERM. "
        "Daemons with speech.recognizer = remote ask it; so can any client of OpenAI's interface.",
    )
    settings.add_arguments(parser)
    parser.add_argument("--model", help="short for --set speech.model=…: demo, a Whisper name, or a folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when every request under way was answered."""
    if options.model:
        options.set.append(f"speech.model={options.model}")
    config = settings.load(options)
    if config.speech.recognizer != "local":
        raise ConfigError(["speech.recognizer: expected local, for this is the server that others ask"])
    log.configure(config.log)
    recognizer = WhisperRecognizer(config.speech)
    trio.run(_serve, config, recognizer)
    # A thread may still be inside the recognizer, see `serve`.
    sys.stderr.flush()
    os._exit(0)


async def _serve(config: Config, recognizer: WhisperRecognizer) -> None:
    server = RecognitionServer(
        config.recognizer,
        config.speech,
        recognizer,
        Metrics(),
        name=recognizer.name,
        languages=recognizer.languages,
    )
    closing = trio.Event()
    async with trio.open_nursery() as nursery:
        url = await nursery.start(server.run, closing)
        log.get_logger().info("ready", url=url, model=recognizer.name)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async for _ in received:
                closing.set()
                break
