"""Zoom's side of the wire, as a real server: what tests, the demo and load runs talk to instead of Zoom.

The daemon never imports this folder, and this folder shares with it only messages, encoding and signatures,
never the connection state machines: otherwise one mistake on both sides would cancel out.

What is played, as data:

- `scenario`: one call or meeting, read from TOML (`entries` reads its tables and collects the mistakes)
- `faults`: packets lost, doubled, swapped, by seed; `mishaps`: what goes wrong once, at its moment
- `extras`: chat, pictures, further streams; `dialect`: which of Zoom's disputed forms are spoken
- `products`: in what they differ

What becomes of it:

- `sources`: sound files, espeak-ng, line noise → the sound of each leg; `mixing`: of all legs in one
- `line`: there and back through a codec, for sound that needs no server
- `packets`: a leg as encoded packets with the moments they are due
- `parts`: an engagement cut into its streams; `studio`: all of this made once for many calls
- `truth`: what was sent and when, to hold against what the daemon made of it; `ledger` keeps account of it

One call:

- `call`: one stream from the started to the stopped webhook; `player` sends, `phrasing` finds the words
- `watch`: Zoom's patience with a client that is away; `director` makes mishaps happen; `admission`: and refusals
- `announcements`, `webhooks`: signed webhooks, Zoom's retries, an HTTP client for them

The wire:

- `zoom`: the server, for many calls at once. **Start here.** `certificates`: its TLS
- `serving`: one connection's life; `handshakes`: what Zoom accepts and refuses; `answers`: to later messages
- `link`: reading, sending, keep-alive, writing down what the client does wrong; `attendance`: who is connected
- `transport`, `frames`, `garbage`: bytes, and how they can be broken

And:

- `play`: the function behind ``zccvoice simulate``; `progress`: what it tells meanwhile; `timing`: Zoom's limits
- `demo/`: recorded demo calls, made by ``scripts/make_demo_calls.py``
"""
