from typing import Any

family64: Any
