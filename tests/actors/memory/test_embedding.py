"""The real model: its folder, its vectors, its tokens."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from actors.memory import embedding
from actors.memory.embedding import BATCH, Embedder, batches, find_model, identity_of
from protocol.errors import BatosError


def test_the_embedded_default_is_found_without_being_imported():
    assert (find_model("") / "modules.json").is_file()
    assert embedding._PACKAGE not in sys.modules


def test_a_model_that_is_not_there_is_named(monkeypatch, tmp_path):
    with pytest.raises(BatosError) as caught:
        find_model(str(tmp_path))
    assert (caught.value.code, str(tmp_path) in caught.value.message) == ("BAD_MODEL", True)
    monkeypatch.setattr(embedding, "_PACKAGE", "no_such_package")
    with pytest.raises(BatosError) as caught:
        find_model("")
    assert caught.value.code == "BAD_MODEL"


@given(st.lists(st.integers(0, 100), max_size=100))
def test_batches_hold_every_text_once_and_the_longest_first(lengths):
    found = batches(lengths)
    order = [n for batch in found for n in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[n] for n in order] == sorted(lengths, reverse=True)
    assert all(0 < len(batch) <= BATCH for batch in found)


@pytest.mark.model
def test_near_in_meaning_is_near_in_angle(embedder):
    vectors = embedder.embed(["A cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose."])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.5
    assert vectors[0] @ vectors[2] < 0.2


@pytest.mark.model
def test_tokens_are_places_in_the_text_whatever_was_embedded_before(embedder):
    embedder.embed(["short"])
    text = "Électricité 漢字 " + "word " * 600
    (found,) = embedder.tokens([text])
    assert len(found) > 600
    assert "".join(text[start:end] for start, end in found) == text.replace(" ", "")


@pytest.mark.model
def test_what_the_model_takes_for_one_token_counts_by_its_length(embedder):
    (found,) = embedder.tokens(["Q" * 1000])
    assert len(found) == 63
    assert (found[0], found[-1]) == ((0, 16), (992, 1000))


@pytest.mark.model
def test_a_folder_with_a_broken_model_is_named(tmp_path):
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BatosError) as caught:
        Embedder(tmp_path)
    assert caught.value.code == "BAD_MODEL"


@pytest.mark.model
def test_it_uses_as_many_threads_as_it_is_told():
    said = (
        "import sys; from actors.memory.embedding import Embedder, find_model;"
        "Embedder(find_model(''), 1); print(sys.modules['torch'].get_num_threads())"
    )
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]


def test_a_model_is_told_by_its_files(tmp_path):
    for name, content in (("a", "{}"), ("b", "{}"), ("c", "{1}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(content)
        (tmp_path / name / "README.md").write_text(name)
    first, same, other = (identity_of(tmp_path / name) for name in "abc")
    assert first == same != other
    assert len(first) == 8


@pytest.mark.model
def test_a_twin_has_the_same_weights_and_says_the_same(embedder):
    twin = embedder.twin()
    for mine, theirs in zip(embedder._model.parameters(), twin._model.parameters(), strict=True):
        assert mine.data_ptr() == theirs.data_ptr()
    assert twin._model.tokenizer is not embedder._model.tokenizer
    assert np.allclose(twin.embed(["A bird sings."]), embedder.embed(["A bird sings."]))


@pytest.mark.model
def test_its_vectors_are_those_that_the_library_makes(embedder):
    texts = ["", "A bird sings.", "Größe und Maß, 漢字 " * 90, "tail"]
    plain = SentenceTransformer(str(find_model("")), device="cpu", local_files_only=True)
    made = plain.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert embedder.embed(texts) == pytest.approx(made, abs=1e-6)


@pytest.mark.model
def test_a_model_that_asks_for_words_before_a_text_and_for_short_vectors_is_given_them(tmp_path):
    model = SentenceTransformer(str(find_model("")), device="cpu", local_files_only=True)
    model.prompts, model.default_prompt_name = {"query": "query: "}, "query"
    model.save(str(tmp_path), create_model_card=False)
    found = Embedder(tmp_path).embed(["A bird sings."])
    assert found == pytest.approx(model.encode(["A bird sings."], show_progress_bar=False), abs=1e-6)
    assert found == pytest.approx(Embedder(find_model("")).embed(["query: A bird sings."]), abs=1e-6)
