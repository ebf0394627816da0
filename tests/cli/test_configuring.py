from __future__ import annotations

import stat
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import configuring
from protocol.errors import BatosError
from protocol.home import Home

MINE = """# my notes
[memory]
threads = 1  # few

[inference]
# the small one
model = "/old"  # for now
threads = 2

[guardian]
workers = 3
"""


def test_one_line_changes_and_all_else_stays_as_it_was_written():
    text = configuring.changed(MINE, {"model": "/new", "url": None})
    assert text == MINE.replace("/old", "/new")


def test_a_line_that_goes_takes_no_other_with_it():
    text = configuring.changed(MINE, {"model": None})
    assert tomllib.loads(text)["inference"] == {"threads": 2}
    assert "# my notes" in text
    assert "# the small one" in text


@pytest.mark.parametrize(
    "text", [None, "", "[memory]\nthreads = 1\n", "inference = {threads = 2}\n", 'inference.model = "/old"\n']
)
def test_however_the_section_is_written_it_says_the_model_afterwards(text):
    made = tomllib.loads(configuring.changed(text, {"model": "/new", "digest": None}))
    assert made["inference"]["model"] == "/new"
    before = tomllib.loads(text or "")
    assert {key: value for key, value in made.items() if key != "inference"} == {
        key: value for key, value in before.items() if key != "inference"
    }


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_any_path_is_read_back_as_it_was_given(path):
    assert tomllib.loads(configuring.changed(MINE, {"model": path}))["inference"]["model"] == path


@pytest.mark.parametrize("text", ["[inference", "inference = 3\n"])
def test_what_is_no_configuration_is_left_alone(text):
    with pytest.raises(BatosError) as caught:
        configuring.changed(text, {"model": "/new"})
    assert caught.value.code == "BAD_CONFIG"


def test_the_file_is_written_whole_and_for_its_owner_alone(tmp_path):
    home = Home(tmp_path)
    assert configuring.read(home) is None
    configuring.write(home, MINE)
    assert configuring.read(home) == MINE
    assert stat.S_IMODE(home.config.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["batos.toml"]
    configuring.write(home, None)
    assert configuring.read(home) is None


def test_a_link_goes_on_to_lead_where_it_led(tmp_path):
    home, kept = Home(tmp_path / "home"), tmp_path / "dotfiles.toml"
    home.root.mkdir()
    kept.write_text(MINE)
    home.config.symlink_to(kept)
    configuring.write(home, "[memory]\n")
    assert home.config.is_symlink()
    assert kept.read_text() == "[memory]\n"
