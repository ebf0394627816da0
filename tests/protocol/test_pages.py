"""The page of the protocol is made from the code, and leaves nothing out."""

from __future__ import annotations

from pathlib import Path

from protocol import pages
from protocol.errors import CODES
from protocol.meanings import MEANINGS
from protocol.verbs import VERBS

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_page_is_what_the_code_says():
    assert PAGE.read_text() == pages.page(), "make it anew: make pages"


def test_every_verb_and_each_of_its_messages_is_on_the_page():
    text = PAGE.read_text()
    for service, verbs in VERBS.items():
        for name, verb in verbs.items():
            assert f"### {'status' if name == 'status' else f'{service}.{name}'}\n" in text
            messages = (verb.request, verb.reply, verb.partial)
            assert [message for message in messages if message and f"`{message.__name__}`\n" not in text] == []


def test_every_error_code_has_a_meaning_and_a_next_step():
    assert list(MEANINGS) == list(CODES)
    assert [code for code, (what, then) in MEANINGS.items() if not (what.endswith(".") and then.endswith("."))] == []
    assert [code for code in CODES if f"| `{code}`" not in PAGE.read_text()] == []


def test_every_struct_within_a_message_has_a_section():
    names = [part.__name__ for part in pages._parts()]
    assert {"Example", "Failure", "Row", "Turn", "Done", "Effect", "Step", "PackedWorld"} <= set(names)
    assert [name for name in names if f"### `{name}`\n" not in PAGE.read_text()] == []
