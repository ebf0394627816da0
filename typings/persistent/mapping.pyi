from collections import UserDict
from typing import Any

from persistent import Persistent

class PersistentMapping(UserDict[Any, Any], Persistent): ...
