"""An expert out of one world and into another: the same bytes under the same hash, or nothing."""

from __future__ import annotations

import hashlib
import json

import pytest

from actors.inference.actor import Inference
from protocol.messages import GiveExpert, Import

from ..asked import Asked


@pytest.fixture
async def ask(home):
    inference = Inference(home)
    await inference.begin()
    yield Asked(inference)
    await inference.close()


async def test_what_is_given_comes_in_again_as_the_same_expert(ask, adapter, tmp_path):
    came = await ask.bring("brick", adapter("brick", seed=1))
    file = tmp_path / "given.safetensors"
    reply = await ask("give", GiveExpert(name="brick", path=str(file)))
    assert reply.expert.sha256 == came.expert.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.stat().st_mode & 0o777 == 0o600
    again = await ask.bring("other", file)
    assert (again.expert.sha256, again.expert.rank, again.tid is not None) == (
        came.expert.sha256,
        came.expert.rank,
        True,
    )
    one, other = await ask.texts("brick", "other")
    assert one == other
    assert (await ask.bring("brick", file)).tid is None


def broken(data, change):
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def of(name, value):
    return lambda header: header["__metadata__"].update({name: value})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data[:-10], "cannot be served"),
        (lambda data: broken(data, of("base_model", "ab" * 32)), "made for the base model"),
        (lambda data: broken(data, of("rank", "1")), "rank"),
        (lambda data: broken(data, of("rank", "99")), "rank 99"),
        (lambda data: broken(data, of("invocation", "[999999]")), "999999"),
        (lambda data: broken(data, lambda header: header.popitem()), "cannot be served"),
        (lambda data: broken(data, lambda header: header["__metadata__"].pop("rank")), "header"),
    ],
)
async def test_a_file_that_was_changed_is_refused_by_name(ask, adapter, tmp_path, change, told):
    await ask.bring("brick", adapter("brick", seed=1))
    file = tmp_path / "given.safetensors"
    await ask("give", GiveExpert(name="brick", path=str(file)))
    file.write_bytes(change(file.read_bytes()))
    error = await ask.refused("import", Import(path=str(file), name="other"))
    assert error.code == "BAD_EXPERT"
    assert told in error.message
    assert list(await ask.listed()) == ["brick"]


async def test_what_cannot_be_given_says_why(ask, adapter, tmp_path):
    await ask.bring("brick", adapter("brick", seed=1))
    taken = tmp_path / "there"
    taken.write_text("mine")
    for name, path, code in (
        ("brick", "given", "BAD_ARGUMENT"),
        ("babs", str(tmp_path / "x"), "UNKNOWN_EXPERT"),
        ("brick", str(taken), "STORAGE"),
        ("brick", str(tmp_path / "none" / "x"), "STORAGE"),
    ):
        assert (await ask.refused("give", GiveExpert(name=name, path=path))).code == code
    assert taken.read_text() == "mine"
