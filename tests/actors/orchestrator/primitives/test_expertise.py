"""The seed's words for experts, sent to the base model's object; inference is played."""

from __future__ import annotations

import msgspec
import pytest

from protocol.errors import BatosError


@pytest.fixture
def served(house):
    """What inference was asked, in order; an eviction leaves the expert cold, unless it is pinned."""
    asked = []

    def activate(request):
        asked.append(("activate", request.name))
        if request.name == "stranger":
            raise BatosError("UNKNOWN_EXPERT", "no expert is called 'stranger'")
        return house.expert(request.name)

    def evict(request):
        asked.append(("evict", request.name))
        if request.name == "pinned":
            raise BatosError("BUSY", "the expert 'pinned' is pinned", pinned=["pinned"])
        reply = house.expert(request.name)
        return msgspec.structs.replace(reply, expert=msgspec.structs.replace(reply.expert, tier="cold"))

    house.bus.handlers |= {("inference", "activate"): activate, ("inference", "evict"): evict}
    return asked


@pytest.mark.parametrize(
    ("selector", "verb"), [("load_adapter", "activate"), ("set_adapter", "activate"), ("delete_adapter", "evict")]
)
async def test_the_base_model_understands_the_seeds_words(house, served, selector, verb):
    reply = await house.send("pLLM_obj", selector, "steel")
    assert (reply.result, reply.cycle, reply.tid) == (True, None, None)
    assert served == [(verb, "steel")]


async def test_what_is_pinned_is_refused_at_once(house, served):
    with pytest.raises(BatosError) as caught:
        await house.send("pLLM_obj", "delete_adapter", "pinned")
    assert caught.value.code == "BUSY"
    assert served == [("evict", "pinned")]


async def test_what_is_no_expert_is_named(house, served):
    with pytest.raises(BatosError) as caught:
        await house.send("pLLM_obj", "load_adapter", "stranger")
    assert caught.value.code == "UNKNOWN_EXPERT"
    with pytest.raises(BatosError) as caught:
        await house.send("pLLM_obj", "set_adapter", 7, key="k2")
    assert caught.value.code == "METHOD_FAILED"
    assert served == [("activate", "stranger")]
