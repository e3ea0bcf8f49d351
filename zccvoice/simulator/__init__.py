"""Zoom's side of the wire, as a real server: what tests, the demo and load runs talk to instead of Zoom.

The daemon never imports this folder, and this folder shares with it only messages, encoding and signatures,
never the connection state machines: otherwise one mistake on both sides would cancel out.

- `scenario`: one call as data, read from TOML (`entries` reads its tables and collects the mistakes)
- `sources`: sound files, espeak-ng, line noise → the sound of each leg
- `faults`: which packets are lost, doubled, swapped; deterministic by seed
- `line`: there and back through a codec, for sound that needs no server
- `packets`: a leg as encoded packets with the moments they are due
- `webhooks`: signed webhooks, Zoom's retries, an HTTP client for them
- `handshakes`: what Zoom accepts and refuses in messages 1 and 3
- `link`: one WebSocket connection: reading, keep-alive, writing down what the client does wrong
- `call`: one call from the started to the stopped webhook
- `zoom`: the server, for many calls at once. **Start here.**
- `truth`: what was sent and when, to hold against what the daemon made of it
- `play`: the function behind ``zccvoice simulate``
- `demo/`: recorded demo calls, made by ``scripts/make_demo_calls.py``
"""
