from typing import Any

class RepozoError(Exception): ...

READCHUNK: int
md5: Any

def do_backup(options: Any) -> None: ...
