"""Whatever a client sends is a request, or refused with a status of its own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.doors.http import requests
from cli.doors.http.errors import Refusal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [*requests.Chat.__struct_fields__, *requests.Embedding.__struct_fields__, *requests._INERT, "user", "more"]


def tried(read, given):
    """What is read, or the status with which it is refused."""
    try:
        return read(given)
    except Refusal as refused:
        return refused.status


@given(st.binary(max_size=60))
def test_bytes_are_never_a_bug(body):
    for read in (requests.read_chat, requests.read_embedding):
        with pytest.raises(Refusal) as refused:
            read(body)
        assert refused.value.status == 400


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_fields_are_read_or_refused(fields):
    fields = {"model": "m", "messages": [{"role": "user", "content": "a"}], "input": "a", **fields}
    body = json.dumps(fields).encode()
    for read in (requests.read_chat, requests.read_embedding):
        found = tried(read, body)
        assert found == 400 or found.model == fields["model"]


@given(
    st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": JSON}),
        min_size=1,
    )
)
def test_messages_are_turns_or_refused(messages):
    chat = tried(requests.read_chat, json.dumps({"model": "m", "messages": messages}).encode())
    turns = chat if chat == 400 else tried(requests.turns, chat)
    assert turns == 400 or len(turns) == len(messages)


def test_the_last_message_of_the_user_is_the_question():
    chat = requests.Chat(
        model="batos",
        messages=[
            requests.Message("user", "one"),
            requests.Message("user", "two"),
            requests.Message("assistant", "three"),
        ],
    )
    assert requests.question(chat) == "two"
    with pytest.raises(Refusal, match="nothing is asked"):
        requests.question(requests.Chat(model="batos", messages=[requests.Message("system", "one")]))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": "9"}, "temperature"),
        ({"messages": [{"content": "a"}]}, "messages[0]"),
        ({"messages": 5}, "messages"),
        ({"way": "side"}, "way"),
        ({"model": None}, "model"),
    ],
)
def test_the_parameter_that_is_at_fault_is_named(fields, param):
    whole = {"model": "m", "messages": [{"role": "user", "content": "a"}], **fields}
    with pytest.raises(Refusal) as refused:
        requests.read_chat(json.dumps(whole).encode())
    assert refused.value.param == param


def test_a_parameter_that_is_missing_is_named():
    with pytest.raises(Refusal) as refused:
        requests.read_chat(b'{"messages": []}')
    assert refused.value.param == "model"
