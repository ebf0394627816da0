from collections.abc import Sequence
from typing import Any

class Supervisor:
    tick: Any

def main(args: Sequence[str] | None = ...) -> None: ...
