"""``python -m nerve_core``: the command line, with standard output kept for answers."""

from __future__ import annotations

import sys

from nerve_core.cli import main, reserve_stdout

if __name__ == "__main__":
    reserve_stdout()
    sys.exit(main())
