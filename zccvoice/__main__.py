"""``python -m zccvoice``."""

import sys

from zccvoice.cli import main

sys.exit(main())
