from collections.abc import Callable
from typing import TypeVar

C = TypeVar("C", bound=type)

class Interface: ...

def implementer(*interfaces: type) -> Callable[[C], C]: ...
