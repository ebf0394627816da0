"""Texts through experts: each row as if it were alone, whatever its neighbours and however few the slots are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import BatosError
from protocol.messages import Row, Sampling

GREEDY = Sampling(temperature=0)
NAMES = ["brick", "robin", "alfred"]


@pytest.fixture(scope="module")
def lent(load, saved, tmp_path_factory):
    """An engine of two slots, three experts, and what each says alone: (engine, contents, text of a row)."""
    from actors.inference.weights.expert import Content

    engine, folder = load(slots=2, rank=8), tmp_path_factory.mktemp("lent")
    contents = {}
    for number, name in enumerate(NAMES, 1):
        made = engine.convert(saved(number, repr({"lora_alpha": 16})), folder / name)
        contents[name] = Content(name, made.sha256, made.base_model, made.rank, made.bytes, folder / name)
    return engine, contents


def row(prompt, expert, limit=10, **more):
    return Row(prompt=prompt, expert=expert, max_tokens=limit, sampling=GREEDY, **more)


def texts(engine, contents, *rows, **more):
    return [one.text for one in engine.generate(list(rows), experts=contents, **more).rows]


def test_rows_of_one_prompt_and_different_experts_share_no_prefill(lent):
    engine, contents = lent
    rows = [row("hello", expert) for expert in (None, "brick", "robin", "brick", None)]
    whole = engine.generate(rows, experts=contents)
    assert whole.prompt_tokens == 3 * len("hello")
    alone = [texts(engine, contents, one)[0] for one in rows]
    assert [one.text for one in whole.rows] == alone
    assert len(set(alone)) == 3


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "hello", "bc"]), st.sampled_from([None, *NAMES]), st.integers(1, 9)),
        min_size=1,
        max_size=7,
    )
)
def test_every_row_says_what_it_says_alone(lent, asked):
    engine, contents = lent
    rows = [row(prompt, expert, limit) for prompt, expert, limit in asked]
    assert texts(engine, contents, *rows) == [texts(engine, contents, one)[0] for one in rows]


def test_pieces_keep_the_numbers_of_their_rows(lent):
    engine, contents = lent
    said: dict[int, str] = {}
    rows = [row("hello", expert) for expert in ("alfred", "brick", None, "robin", "alfred")]
    whole = texts(engine, contents, *rows, on_piece=lambda at, text: said.__setitem__(at, said.get(at, "") + text))
    assert [said.get(at, "") for at in range(5)] == whole


def test_forms_are_kept_by_experts_too(lent):
    engine, contents = lent
    rows = [row("a", expert, 40, grammar='start: "def " /[a-z]{1,4}/ ":"') for expert in (*NAMES, None)]
    assert all(text.startswith("def ") and text.endswith(":") for text in texts(engine, contents, *rows))


def test_a_stop_ends_later_waves_before_they_begin(lent):
    engine, contents = lent
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 3

    rows = engine.generate([row("a", name, 50) for name in NAMES], None, stop, contents).rows
    assert [one.finish for one in rows] == ["length"] * 3
    assert rows[2].text == ""


def test_after_a_failure_the_base_model_is_the_base_model(lent, monkeypatch):
    from actors.inference.decoding import decoding

    engine, contents = lent
    (before,) = texts(engine, contents, row("hello", None))

    def broken(self):
        raise RuntimeError("no step")

    with monkeypatch.context() as patched:
        patched.setattr(decoding._Batch, "step", broken)
        with pytest.raises(BatosError) as caught:
            texts(engine, contents, row("hello", "brick"))
    assert caught.value.code == "GENERATION_FAILED"
    assert texts(engine, contents, row("hello", None)) == [before]
    assert all(entry.references == 0 for entry in engine.tiers._entries.values())


def test_a_spoiled_expert_of_a_later_wave_is_found_before_anything_is_said(lent, tmp_path):
    engine, contents = lent
    path = tmp_path / "rotten"
    path.write_bytes(b"rotten")
    rotten = contents["brick"]._replace(name="rotten", sha256="0" * 64, path=path)
    pieces = []
    with pytest.raises(BatosError) as caught:
        engine.generate(
            [row("a", name) for name in ("brick", "robin", "rotten")],
            lambda *piece: pieces.append(piece),
            None,
            {**contents, "rotten": rotten},
        )
    assert (caught.value.code, pieces) == ("BAD_EXPERT", [])


def test_a_name_that_means_nothing_is_refused(lent):
    engine, contents = lent
    with pytest.raises(BatosError) as caught:
        texts(engine, contents, row("a", None), row("a", "nobody"))
    assert caught.value.code == "UNKNOWN_EXPERT"
    assert "row 1" in caught.value.message
