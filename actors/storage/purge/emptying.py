"""What a record says once what was forgotten is taken out of it: the same object, of the same class, that has nothing to say.

No revision is dropped. One that is missing would be damage to whoever looks at a moment when another object referred to it, and the
places and ids of all transactions would change; one that is empty reads as an object without that text. So a document has no passages,
a passage no slots, a dict and a list no items, and a method the text `FORGOTTEN_TEXT` and the digest of that.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import pickletools
from typing import Any, Final

from actors.storage.contents import StandIn
from actors.storage.purge import forgotten
from actors.storage.purge.reading import class_of, items_of, oid_in, state_of
from protocol import codec
from protocol.messages import MandateReply

_SHA256: Final = hashlib.sha256(forgotten.FORGOTTEN_TEXT.encode()).hexdigest()
_PROTOCOL: Final = 3
"""The one of ZODB's records."""


def emptied(data: bytes) -> bytes | None:
    """The record without what it says; None where it is of a class of which nothing is taken."""
    of = class_of(data)
    state = state_of(data).value
    match of:
        case forgotten.DOCUMENT:
            return _record(data, ("", b"", {}, state[3], b"", b"", b"", (), ()))
        case forgotten.PASSAGE:
            return _record(data, (None,))
        case forgotten.PIECE:
            return _record(data, (b"", b"", b"", ()))
        case forgotten.MAPPING:
            return _record(data, {"data": {}})
        case forgotten.LIST:
            return _record(data, {"data": []})
        case forgotten.METHOD:
            text = {"source": forgotten.FORGOTTEN_TEXT, "sha256": _SHA256}
            return _record(data, {**state, **text, "intent": "", "verdict": "forgotten"})
        case forgotten.VERSION:
            return None if state.get("gone") else _record(data, {**state, "why": ""})
        case forgotten.PROPOSAL:
            return _record(data, {**state, "body": b"", "because": "", "diff": ""})
    return None


def answered(data: bytes, mandate: str) -> bytes:
    """The entry in `applied` of a mandate that has ended, which says that it has, and not what its answer was."""
    known: dict[Any, Any] = dict(items_of(state_of(data).value))
    return _record(data, {"data": {**known, "reply": codec.pack(MandateReply(mandate=mandate, state="COMPLETE"))}})


def _record(data: bytes, state: Any) -> bytes:
    """The class's pickle as it is, and another state."""
    end = next(at for opcode, _, at in pickletools.genops(data) if opcode.name == "STOP" and at is not None) + 1
    stream = io.BytesIO()
    _Pickler(stream, _PROTOCOL).dump(state)
    return data[:end] + stream.getvalue()


class _Pickler(pickle.Pickler):
    """References go by the OID alone, which is one of ZODB's forms of them."""

    def persistent_id(self, value: Any) -> bytes | None:
        return oid_in(value) or None if isinstance(value, StandIn) else None
