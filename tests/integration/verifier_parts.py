#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The unit tests of examples/verifier, in tests/verifier."""

import os
import sys
import unittest

FOLDER = os.path.join(os.environ["RAFFLE_SOURCE"], "tests", "verifier")
sys.path.insert(0, FOLDER)
result = unittest.TextTestRunner(sys.stdout).run(unittest.defaultTestLoader.discover(FOLDER))
if not result.wasSuccessful() or result.testsRun < 25:
    sys.exit(f"FAILED: {len(result.failures) + len(result.errors)} of {result.testsRun} tests")
print(f"{result.testsRun} checks passed")
