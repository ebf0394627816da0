from contextlib import AbstractContextManager
from typing import Any

class FileStorage:
    def __init__(self, file_name: str, create: bool = ..., blob_dir: str | None = ..., **kw: Any) -> None: ...
    def close(self) -> None: ...
    _file: Any
    _file_name: str
    _tfile: Any
    _tfmt: Any
    _files: Any
    _lock: AbstractContextManager[Any]
    _pos: int
    _nextpos: int
    def store(self, *arguments: Any) -> Any: ...
    def tpc_vote(self, transaction: Any) -> Any: ...
    def _clear_temp(self) -> None: ...

class TempFormatter:
    def __init__(self, file: Any) -> None: ...
