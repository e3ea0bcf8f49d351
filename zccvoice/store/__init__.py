"""Facts of calls → Postgres → values for analytics and reports. The only user of SQLAlchemy; synchronous.

Called from worker threads; nothing here waits for anything but the database. Where to start: `facts` says what
is written, `tables` what is kept.

- `facts`            what the daemon asks to keep: one frozen value per fact of a call
- `schema`           all tables in one place: `tables` what was heard of calls, `measure_tables` what was made
                     of it, `people_tables` queues, agents and who may read, `keeping_tables` deletions and holds,
                     `text_tables` what Zoom sends along, `target_tables` what numbers are to be
- `comments`, `definitions`  what the database says about itself, written after every upgrade; `schema_page`
                     makes docs/schema.md of it
- `database`         engine, transactions, which errors pass, upgrading and checking the schema
- `partitions`       monthly partitions, made ahead
- `writes`           facts → rows; saying a thing twice changes nothing (`upsert` is how)
- `attribution`      who spoke in mixed tracks, from stored events
- `measures`         what is computed of a call → rows; `recompute` the same for stored calls
- `rules`            rules by revision and their hits; `deliveries` what of them is to be posted
- `removals`         what goes: revoked streams, stale rows
- `bulk`             COPY: very many rows into one table
- `reads`            rows → the record of a call, calls with their measures, utterances;
                     `running` calls that run, `hits` where rules matched, `sound` where the sound of a call lies
- `summaries`        many calls in one row; `worst`, `compliance`, `quality` what else reports ask; `targets`
                     what a number is to be; `readers` what a login needs that may only read
- `retention`        what is too old → gone; `holds` are the calls that must not be
- `erasure`          everything of a call → gone, for ever, and the proof; `moving` all rows → another database
- `private_postgres` the Postgres of the default set-up, shared by our processes, and always brought back
- `postgres_server`  its programs, account, data and process; `leash` is the program that ties it to ours

The migrations are beside the package, in ``migrations/`` (inside it once installed).
"""
