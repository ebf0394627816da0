from collections.abc import Iterable
from typing import Any
from collections import UserList

from persistent import Persistent

class PersistentList(UserList[Any], Persistent):
    def __init__(self, initlist: Iterable[Any] | None = ...) -> None: ...
