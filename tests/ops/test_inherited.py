"""What the processes of a home know of the environment in which it was started."""

from __future__ import annotations

import pytest

from actors.inference.remote.server import KEY
from ops.inherited import SECRETS, inherited, secrets


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "LC_ALL",
        "TMPDIR",
        "PYTHONPATH",
        "BATOS_HOME",
        "HF_HOME",
        "OMP_WAIT_POLICY",
        "CUDA_VISIBLE_DEVICES",
    ],
)
def test_what_a_process_works_with_is_inherited(name: str) -> None:
    assert inherited({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "OPENAI_API_KEY", "SSH_AUTH_SOCK", "HTTPS_PROXY", "DATABASE_URL"),
        *("HF_TOKEN", "TRANSFORMERS_TOKEN", "BATOS_API_KEY", "PGPASSWORD", "PATHS", "home"),
    ],
)
def test_what_is_not_named_stays_behind_and_so_does_a_secret(name: str) -> None:
    assert inherited({name: "x"}) == {}


def test_the_model_servers_key_is_inferences_alone() -> None:
    assert SECRETS[KEY] == "inference"
    assert secrets({KEY: "sesame", "PATH": "/bin"}) == {"inference": {KEY: "sesame"}}
    assert secrets({"PATH": "/bin"}) == {}
