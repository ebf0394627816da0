from typing import Any

class Persistent:
    _p_jar: Any
    _p_oid: bytes | None
    _p_serial: bytes
    _p_changed: bool | None
    def _p_activate(self) -> None: ...
    def _p_deactivate(self) -> None: ...
