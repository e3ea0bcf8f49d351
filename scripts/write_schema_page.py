"""Writes the schema as a page: ``python scripts/write_schema_page.py [docs/schema.md]``.

It says what a database says of itself that was just made by the migrations, on a server for this purpose alone.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from zccvoice.store.database import connect, transaction, upgrade
from zccvoice.store.private_postgres import PrivatePostgres
from zccvoice.store.schema_page import schema_page


def main() -> None:
    """Make a database, ask it, write the page."""
    page = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/schema.md")
    with tempfile.TemporaryDirectory(prefix="zccvoice-schema-") as folder:
        Path(folder).chmod(0o755)  # when we are root another account runs the server, and has to get there
        with PrivatePostgres(Path(folder)) as server:
            engine = connect(server.url)
            upgrade(engine)
            with transaction(engine) as connection:
                text = schema_page(connection)
            engine.dispose()
        shutil.rmtree(server.home)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
