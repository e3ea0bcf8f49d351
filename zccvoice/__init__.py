"""zccvoice: on-prem voice analytics for contact centres on Zoom.

Where things are, from the bottom up (imports point down only; `tests/test_floors.py` keeps it so):

- `errors`, `config`: every exception, every setting
- `audio`: bytes → samples; `rtms`: Zoom's protocol, sans I/O
- `journal`: what must not be lost, in one file per stream: written before anything is made of it
- `speech`: samples → text; `analytics`: utterances and events → measures
- `simulator`: Zoom's side of the wire, for demo, tests and benches
- `store`: Postgres, the only user of SQLAlchemy; `reports`: stored measures → tables, files, pages
- `daemon`: the only folder that runs anything; start reading at `daemon/serve.py`
- `recordings`: sound files into journals, and out of them again
- `rehearsal`: a daemon and a simulated Zoom together; `doctor`: is an installation in order?
- `bench`: measurements; `cli`: the commands
"""

__version__ = "0.1.0"
