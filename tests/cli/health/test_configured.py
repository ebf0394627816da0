from __future__ import annotations

import pytest

from cli.health.configured import check_models, model_path
from cli.lifecycle import up
from ops.supervisor import remains
from protocol.errors import BatosError
from protocol.home import Home


@pytest.mark.parametrize("section", ["inference", "memory"])
async def test_a_model_that_is_not_there_is_named_before_anything_starts(short_path, section):
    home = Home(short_path)
    home.config.write_text(f'[{section}]\nmodel = "/nowhere/at/all"\n')
    with pytest.raises(BatosError, match="/nowhere/at/all") as caught:
        await up(home, lambda _: None)
    assert caught.value.code == "BAD_MODEL"
    assert f"[{section}] in {home.config}" in caught.value.hint
    assert not remains(home)


def test_a_path_is_read_from_the_home_as_the_actors_read_it(short_path):
    home = Home(short_path)
    home.config.write_text('[inference]\nmodel = "mine"\n')
    assert model_path(home, home.settings(), "inference") == home.root / "mine"
    assert model_path(home, home.settings(), "memory") is None
    (home.root / "mine").mkdir()
    check_models(home, home.settings())
