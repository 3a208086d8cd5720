"""python3 -m grade is trellis-grade."""

import sys

from grade.cli import main

if __name__ == "__main__":
    sys.exit(main())
