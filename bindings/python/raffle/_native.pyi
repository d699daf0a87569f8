# SPDX-License-Identifier: Apache-2.0
# The extension that cffi makes of the headers: as wide as C is. What the other modules give is typed.
from typing import Any

ffi: Any
lib: Any
