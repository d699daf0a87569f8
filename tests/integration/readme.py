#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C program that the README shows is the one that is built and run: examples/night.c."""
import os
import sys

source = os.environ.get("RAFFLE_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
with open(os.path.join(source, "README.md"), encoding="utf-8") as f:
    readme = f.read()
with open(os.path.join(source, "examples", "night.c"), encoding="utf-8") as f:
    program = f.read()
shown = readme.split("```c\n")[1].split("```")[0]
if shown.strip() not in program:
    sys.exit("README.md shows a program that is not in examples/night.c")
print("ok")
