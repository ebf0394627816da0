from typing import Any

class Handler:
    handleError: Any
