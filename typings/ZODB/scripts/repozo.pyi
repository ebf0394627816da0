from typing import Any

class RepozoError(Exception): ...

READCHUNK: int

def do_backup(options: Any) -> None: ...
