"""What a request needs, where the request itself says so."""

from __future__ import annotations

import pytest

from protocol.checks.rights import right_of
from protocol.codec import Ref
from protocol.messages import Mandate
from protocol.names import MIND
from protocol.verbs import MANDATE

THREAD = Ref("0000000000000007")


@pytest.mark.parametrize(
    ("args", "kwargs", "right"),
    [
        (["Who?"], {}, "ask"),
        (["Who?", "deep", None, True], {}, "ask"),
        (["Who?"], {"thread": None, "way": "plain"}, "ask"),
        (["Who?"], {"thread": THREAD}, "send"),
        (["Who?", "auto", THREAD], {}, "send"),
        (["Who?", "auto", {"$ref": "box"}, True], {}, "send"),
    ],
)
def test_a_question_in_a_thread_sends_it_a_message(args, kwargs, right):
    assert right_of(MANDATE, Mandate(target=MIND, selector="ask_", args=args, kwargs=kwargs)) == right
