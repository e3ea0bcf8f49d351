"""The program's entry: ``zccvoice`` and ``python -m zccvoice``."""

import sys


def main() -> int:
    """Run one command; a Ctrl-C while the libraries are still being loaded ends it quietly too."""
    try:
        from zccvoice import cli

        return cli.main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
