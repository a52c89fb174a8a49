"""`python -m autograder`."""

import os.path  # of what Python has loaded already: anything else could come from the current directory
import sys

if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != os.path.realpath(f"{__file__}/../.."):
    sys.path.pop(0)  # that directory, which may be full of what students handed in

from autograder.cli import main

if __name__ == "__main__":
    main()
