# SPDX-License-Identifier: Apache-2.0
"""`python -m raffle`, and the script `raffle`: the command, or a sentence where the build has none."""
import pathlib
import subprocess
import sys

import raffle
import raffle.__main__


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "raffle", *arguments], capture_output=True, text=True)


def test_the_command(tmp_path: pathlib.Path) -> None:
    if raffle.__main__.COMMAND.exists():
        assert run("--version").stdout == f"raffle {raffle.version()}, library {raffle.version()}\n"
        assert run("status", str(tmp_path / "none.raffle")).returncode == 1 and run("no-such-command").returncode == 2
    else:
        done = run("--version")
        assert done.returncode == 1 and "this build has no command" in done.stderr
    script = pathlib.Path(sys.executable).parent / "raffle"
    assert subprocess.run([script, "--version"], capture_output=True, text=True).returncode == run("--version").returncode
