"""``zccvoice stream``: start, stop, pause or resume the stream of a running call, through Zoom's REST API."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

import trio

from zccvoice.cli import settings
from zccvoice.config import Config
from zccvoice.daemon.zoom_api import CONTROLLED_PRODUCTS, Action, open_api
from zccvoice.errors import ConnectionFailedError
from zccvoice.rtms.enums import Product
from zccvoice.rtms.webhook import StreamStarted

PATIENCE_S = 30.0
"""How long Zoom may take for both requests."""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "stream",
        description="Ask Zoom to start or stop the stream of a running call, or to pause or resume that of a "
        "Video SDK session. The daemon then gets the webhook. Needs a server-to-server OAuth app (zoom.api) with "
        "the scope to update the status of RTMS apps; for Video SDK sessions the account's API key.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for action in Action:
        one = actions.add_parser(action.value, help=f"{action.value} the stream of a call")
        one.add_argument(
            "call",
            metavar="CALL",
            help="the engagement's id; of a meeting its number, of a Video SDK session that of the session",
        )
        one.add_argument(
            "--product",
            type=Product,
            choices=CONTROLLED_PRODUCTS,
            default=Product.CONTACT_CENTER,
            metavar="PRODUCT",
            help=f"{', '.join(CONTROLLED_PRODUCTS)} (default: contact_center)",
        )
        settings.add_arguments(one)
        one.set_defaults(run=run, action=action)


def run(options: argparse.Namespace) -> int:
    """0 when Zoom has agreed."""
    config = settings.load(options)
    trio.run(partial(_control, config, options.action, options.product, options.call))
    print(f"{options.call}: Zoom will {options.action.value} the stream", file=sys.stderr)
    return 0


async def _control(config: Config, action: Action, product: Product, call_id: str) -> None:
    """Ask, for so long and no longer.

    Raises:
        ConnectionFailedError: Zoom did not answer in time, or cannot be reached.
        ApiRefusedError: Zoom does not do it.
        ConfigError: credentials are missing.
    """
    stream = StreamStarted(product, call_id, "", "", 0, config.zoom.api.account_id or None)
    client_id = config.zoom.credentials_for(stream).client_id
    with trio.move_on_after(PATIENCE_S) as patience:
        async with open_api(config.zoom, product) as api:
            await api.control_stream(action, product, call_id, client_id=client_id)
    if patience.cancelled_caught:
        raise ConnectionFailedError(f"Zoom's API did not answer within {PATIENCE_S:g} s")
