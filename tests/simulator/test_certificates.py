"""TLS with the simulator's own authority: trusted by who has its file, and by nobody else."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio
import trio_websocket

from zccvoice.simulator.certificates import Authority
from zccvoice.simulator.timing import Timing
from zccvoice.simulator.zoom import ZoomApp, running_zoom

from .conftest import Client, MakeScenario, played


def trusting(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    authority.write(tmp_path / "ca.pem")
    return ssl.create_default_context(cafile=tmp_path / "ca.pem")


async def secured(url: str, context: ssl.SSLContext, host: str) -> Any:
    stream = await trio.open_tcp_stream("127.0.0.1", urlsplit(url).port or 0)
    secure = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    try:
        await secure.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secure


async def test_a_call_over_tls(app: ZoomApp, small: MakeScenario, tmp_path: Path) -> None:
    authority, scenario, streams = Authority(), small(duration_ms=1_000), []
    context = trusting(authority, tmp_path)
    async with (
        running_zoom(app, deliver=None, speed=20, timing=Timing(close_s=0.5), authority=authority) as zoom,
        trio.open_nursery() as nursery,
    ):
        assert zoom.signaling_url.startswith("wss://localhost:")

        async def connect(path: Any) -> Any:
            stream = await secured(zoom.signaling_url, context, "localhost")
            streams.append(stream)  # trio-websocket leaves a client's closing to the collector
            return await trio_websocket.wrap_client_stream(nursery, stream, "localhost", path)

        client = Client(connect, scenario)
        known = trio.Event()

        async def know() -> None:
            while scenario.stream_id not in zoom._calls:
                await trio.sleep(0.01)
            known.set()

        nursery.start_soon(know)
        truth, answer, _ = await played(zoom, client, scenario, known)
        assert all(
            one.startswith("wss://localhost:") for one in answer["media_server"]["server_urls"].values()
        )
        assert client.samples["ch-7f31"] == truth.track("ch-7f31").samples_sent_count == 16_000
        assert not zoom.violations
    for stream in streams:
        await trio.aclose_forcefully(stream)


@pytest.mark.parametrize("mistake", ["another authority", "another name", "none"])
async def test_who_is_trusted(app: ZoomApp, tmp_path: Path, mistake: str) -> None:
    authority = Authority()
    context = trusting(Authority() if mistake == "another authority" else authority, tmp_path)
    async with running_zoom(app, deliver=None, timing=Timing(close_s=0.5), authority=authority) as zoom:
        host = "elsewhere.test" if mistake == "another name" else "localhost"
        if mistake == "none":
            await trio.aclose_forcefully(await secured(zoom.signaling_url, context, host))
        else:
            with pytest.raises(trio.BrokenResourceError) as refused:
                await secured(zoom.signaling_url, context, host)
            assert isinstance(refused.value.__cause__, ssl.SSLCertVerificationError)
        await trio.aclose_forcefully(
            await secured(zoom.signaling_url, trusting(authority, tmp_path), "localhost")
        )
