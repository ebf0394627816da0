"""A GGUF file on its way into the world: what is refused before llama.cpp sees it, and the copy."""

from __future__ import annotations

import struct

import pytest

from actors.inference.base_model import KeptModel
from actors.inference.llama import keeping, spelling
from protocol.errors import BatosError

from .tiny_gguf import tiny_gguf


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    return tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def refusal(path):
    with pytest.raises(BatosError) as caught:
        keeping.header_of(keeping.find(path))
    assert caught.value.code == "BAD_MODEL"
    assert caught.value.hint
    return caught.value.message


def test_what_prompts_are_made_with_is_read_where_it_is_asked_for(whole):
    header = keeping.header_of(keeping.find(whole), whole=spelling.WHOLE)
    assert [len(header.values[name]) for name in sorted(spelling.WHOLE)] == [259, 259]
    assert header.bytes <= whole.stat().st_size < header.bytes + 16_384


def test_a_file_without_a_tokenizer_is_no_language_model(tmp_path):
    assert "no tokenizer" in refusal(tiny_gguf(tmp_path / "bare.gguf", tokenizer=False))


def text(word):
    return struct.pack("<Q", len(word)) + word


def second_part(path):
    """As llama.cpp's own tool splits a model: what comes after the first part says nothing but which part it is."""
    path.write_bytes(
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(b"split.count") + struct.pack("<IH", 2, 2) + bytes(32)
    )
    return path


def test_a_set_is_one_model_also_where_it_lies_under_other_names(tmp_path):
    first = tiny_gguf(tmp_path / "big-00001-of-00002.gguf", **{"split.count": 2})
    second = second_part(tmp_path / "big-00002-of-00002.gguf")
    found = keeping.header_of(keeping.find(second))
    assert (found.architecture, found.parts) == ("llama", (first, second))
    blobs = {path.name: path.rename(tmp_path / name) for path, name in ((first, "7f.blob"), (second, "2a.blob"))}
    assert keeping.header_of(KeptModel("0", "big", blobs)).tensors == found.tensors


def test_a_part_that_lacks_is_named(tmp_path):
    first = tiny_gguf(tmp_path / "big-00001-of-00003.gguf", **{"split.count": 3})
    tiny_gguf(tmp_path / "big-00003-of-00003.gguf", **{"split.count": 3})
    assert "big-00002-of-00003.gguf is missing" in refusal(first)
    assert "says that it is one of 2 parts" in refusal(tiny_gguf(tmp_path / "one.gguf", **{"split.count": 2}))


def test_a_name_that_is_none_of_its_own_set_is_a_files_own(whole, tmp_path):
    odd = tmp_path / "big-00000-of-00000.gguf"
    odd.write_bytes(whole.read_bytes())
    assert keeping.find(odd).paths == (odd,)


def test_a_copy_is_hashed_tells_how_far_it_is_and_notices_a_change(whole, tmp_path, monkeypatch):
    said = []
    source = keeping.find(whole)
    made = keeping.copy(source, tmp_path / "copy", said.append)
    again = keeping.copy(source, tmp_path / "again", said.append)
    assert made.digest == again.digest
    assert len(made.digest) == 64
    assert made.files["tiny.gguf"].read_bytes() == whole.read_bytes()
    assert said[-1] == "copying tiny.gguf into the world, 100 %"
    with pytest.raises(BatosError, match="was changed while it was copied"):
        keeping.copy(source._replace(stamp="before"), tmp_path / "copy", said.append)


def test_a_copy_that_the_disk_has_no_room_for_is_not_begun(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(keeping.shutil, "disk_usage", lambda _: keeping.shutil._ntuple_diskusage(9, 8, 1))
    with pytest.raises(BatosError) as caught:
        keeping.copy(keeping.find(whole), tmp_path / "copy", lambda _: None)
    assert (caught.value.code, list((tmp_path / "copy").iterdir())) == ("STORAGE", [])
