"""Facts of calls → Postgres → values for analytics and reports. The only user of SQLAlchemy; synchronous.

Called from worker threads; nothing here waits for anything but the database. Where to start: `facts` says what
is written, `tables` what is kept.

- `facts`            what the daemon asks to keep: one frozen value per fact of a call
- `tables`           the schema, every table and column with its comment
- `comments`         writes those comments into the database after an upgrade, the views' too
- `database`         engine, transactions, which errors pass, upgrading and checking the schema
- `writes`           facts and scorecards → rows; saying a thing twice changes nothing
- `bulk`             COPY: very many rows into one table
- `reads`            rows → the record of a call, calls with their measures, utterances
- `private_postgres` the Postgres of the default set-up, shared by our processes, and always brought back
- `postgres_server`  its programs, account, data and process; `leash` is the program that ties it to ours

The migrations are beside the package, in ``migrations/`` (inside it once installed).
"""
