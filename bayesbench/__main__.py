"""``python -m bayesbench``."""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":  # a spawned process imports this file again
    sys.exit(main())
