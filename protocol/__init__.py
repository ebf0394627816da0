"""What travels between the processes; it imports nothing of ours."""

from __future__ import annotations

import sys
from typing import Final

MAX_DIGITS: Final = 20_000
"""More decimal digits than any integer that may cross has (`codec.MAX_INT_BITS`). Python's own limit is 4,300: what is a
value must have a text in every process of ours.
"""

sys.set_int_max_str_digits(MAX_DIGITS)
