"""``zccvoice report grafana``: the dashboards as files that Grafana reads at start."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from zccvoice.errors import ConfigError
from zccvoice.reports.dashboards import write_provisioning


def add_to(reports: Any) -> None:
    """Add the command to the parser of ``report``."""
    parser: argparse.ArgumentParser = reports.add_parser(
        "grafana",
        help="write dashboards for Grafana",
        description="Write the data source and the dashboards into Grafana's folder of provisioning. The data "
        "source takes GRAFANA_ZCCVOICE_HOST, _DATABASE, _USER, _PASSWORD and _SSLMODE from Grafana's environment; "
        "the user needs the role zccvoice_reader or zccvoice_reader_all.",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="/etc/grafana/provisioning"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when the files are written; their paths go to standard output."""
    try:
        written = write_provisioning(options.output)
    except OSError as error:
        raise ConfigError([f"--output {options.output}: cannot be written: {error.strerror}"]) from None
    print("\n".join(map(str, written)))
    return 0
