from typing import Any

class fsIndex:
    @classmethod
    def load(cls, fname: str) -> dict[str, Any]: ...
