import asyncio
from typing import Any

class _Acceptor:
    event_loop: asyncio.AbstractEventLoop

class StorageServer:
    acceptor: _Acceptor
    def __init__(self, addr: Any, storages: dict[str, Any], **kw: Any) -> None: ...
    def loop(self) -> None: ...
    def close(self) -> None: ...
