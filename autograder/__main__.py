"""`python -m autograder`."""

import sys
from pathlib import Path

if not sys.flags.safe_path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
    sys.path.pop(0)  # the current directory, which may be full of what students handed in

from autograder.cli import main

if __name__ == "__main__":
    main()
