"""The program ``lookback``, as ``python -m lookback`` or by its name."""

import sys

from lookback import _native


def main() -> None:
    """Run the command line of this process, and end it with the program's exit code."""
    sys.exit(_native.program(["lookback", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
