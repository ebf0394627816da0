from collections.abc import Sequence
from typing import Any

go: Any

class Supervisor:
    tick: Any

def main(args: Sequence[str] | None = ...) -> None: ...
