import asyncio
from typing import Any

class ClientThread:
    loop: asyncio.AbstractEventLoop | None
    def __init__(self, *arguments: Any, **options: Any) -> None: ...
