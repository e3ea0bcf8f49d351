"""${message}

Before you run it on a database that people use, make sure that it
- holds no lock long: no rewriting of a big table, no index without CONCURRENTLY (in an autocommit block), no
  NOT NULL or foreign key on a big table without NOT VALID first. Waiting for a lock ends after 5 s (env.py);
- works with the PREVIOUS version of the code, which is still running while this runs: add first, use later,
  drop in the release after. A column that is renamed is a new column, a copy, and a dropped one;
- creates the views of "reporting" anew when their columns change (comments: see zccvoice/store/comments.py);
- comes with a line in CHANGELOG.md.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
