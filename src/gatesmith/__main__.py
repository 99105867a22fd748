"""``python -m gatesmith`` and the command ``gatesmith``."""

from gatesmith.flows.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
