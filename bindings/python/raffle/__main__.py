# SPDX-License-Identifier: Apache-2.0
"""The command `raffle`, as `python -m raffle` and as the script of that name: the program in C, which the wheel carries beside the extension, in place of this
process."""
import os
import pathlib
import sys

COMMAND = pathlib.Path(__file__).resolve().parent / "bin" / "raffle"


def main() -> None:
    if not COMMAND.exists():
        sys.exit("raffle: this build has no command; one is made where jansson is installed, and not of an installed library (-Dlibraffle=system)")
    os.execv(COMMAND, ["raffle", *sys.argv[1:]])


if __name__ == "__main__":
    main()
