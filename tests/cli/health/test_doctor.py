from __future__ import annotations

import json
from importlib import metadata

import pytest

from actors.guardian.confinement.confine import LAYERS
from cli.health import doctor
from cli.main import main
from protocol import home as engines
from protocol.home import Home, Settings

JAIL = {"layers": dict.fromkeys(LAYERS, ""), "jail": "", "run_ms": 3.0}


@pytest.fixture
def told(capfd, short_path, monkeypatch):
    """Run the command on a home that is not there yet; its exit code, and its checks by name."""

    def tell(*, jail=JAIL, settings=""):
        home = short_path / "home"
        if settings:
            home.mkdir(exist_ok=True)
            (home / "batos.toml").write_text(settings)
        monkeypatch.setattr(doctor, "_ask_guardian", lambda _home: jail)
        code = main(["doctor", "--json", "--home", str(home)])
        found = json.loads(capfd.readouterr().out)
        assert found["ok"] == (code == 0)
        return code, {check["name"]: check for check in found["checks"]}

    return tell


def test_it_tries_the_jail_itself_and_leaves_nothing(capfd, short_path):
    home = short_path / "home"
    code = main(["doctor", "--home", str(home)])
    said = capfd.readouterr().out
    assert all(f"jail: {layer}: " in said for layer in LAYERS)
    assert ("all that is required is there" in said) == (code == 0)
    assert code in {0, 3}
    assert not home.exists()


def test_all_is_there(told):
    code, checks = told()
    assert code == 0
    assert {"python", "packages", "device", "settings", "home", "disk space", "language model", "system"} <= set(checks)
    assert "3.0 ms" in checks["jail"]["detail"]
    assert (checks["system"]["ok"], checks["system"]["required"], checks["system"]["hint"]) == (
        False,
        False,
        "batos up",
    )


def test_a_missing_layer_is_named_with_what_to_do(told):
    jail = {**JAIL, "layers": {**JAIL["layers"], "landlock": "Function not implemented"}}
    code, checks = told(jail=jail)
    assert code == 3
    check = checks["jail: landlock"]
    assert (check["ok"], check["required"], check["detail"]) == (False, True, "Function not implemented")
    assert 'may_lack = ["landlock"]' in check["hint"]


def test_a_layer_that_may_be_missing_is_said_and_not_required(told):
    jail = {**JAIL, "layers": {**JAIL["layers"], "landlock": "Function not implemented"}}
    code, checks = told(jail=jail, settings='[guardian]\nmay_lack = ["landlock"]\n')
    assert code == 0
    assert checks["jail: landlock"]["required"] is False
    assert "guardian.may_lack allows it" in checks["jail: landlock"]["detail"]


def test_a_guardian_that_cannot_say_is_a_missing_jail(told):
    code, checks = told(jail={"problem": "no such module"})
    assert (code, checks["jail"]["detail"]) == (3, "no such module")


def test_wrong_settings_are_named(told):
    code, checks = told(settings="[guardian]\nwalls = 3\n")
    assert code == 3
    assert "batos.toml" in checks["settings"]["detail"]


def test_a_model_that_is_not_where_the_settings_say(told):
    code, checks = told(settings='[inference]\nmodel = "/nowhere/at/all"\n')
    assert (code, checks["language model"]["ok"]) == (3, False)


def test_a_package_that_is_missing_or_too_old(told, monkeypatch):
    real = metadata.version

    def version(name):
        if name == "pyzmq":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "click" else real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    code, checks = told()
    assert code == 3
    assert checks["package pyzmq"]["detail"] == "not installed"
    assert checks["package click"]["detail"].startswith("0.1, at least")


def test_a_device_that_is_asked_for_and_not_there(told, monkeypatch):
    monkeypatch.setattr(doctor.Path, "glob", lambda *_: iter(()))
    code, checks = told(settings='[inference]\ndevice = "cuda"\n')
    assert (code, checks["device"]["ok"]) == (3, False)


def test_no_room(told, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED_BYTES", 1 << 60)
    code, checks = told()
    assert (code, checks["disk space"]["ok"]) == (3, False)


def test_a_home_that_cannot_be():
    assert not doctor._home(Home(doctor.Path("/proc/self/nowhere"))).ok
    assert "too" not in doctor._home(Home(doctor.Path("/tmp"))).detail
    assert "bytes" in doctor._home(Home(doctor.Path("/tmp/" + "x" * 120))).detail


def test_versions_are_compared_as_numbers():
    assert doctor._numbers("2.13.0+cpu") == [2, 13, 0]
    assert doctor._numbers("8.3rc1") == [8, 3]
    assert doctor._device(Settings()).ok


def test_deep_names_what_is_damaged(capfd, short_path, monkeypatch):
    monkeypatch.setattr(doctor, "_ask_guardian", lambda _home: JAIL)
    home = Home(short_path / "home").prepare()

    def told():
        main(["doctor", "--deep", "--json", "--home", str(home.root)])
        return {check["name"]: check for check in json.loads(capfd.readouterr().out)["checks"]}

    found = told()
    assert found["world, whole"]["ok"]
    assert found["journal, whole"]["ok"]
    home.database.parent.mkdir(exist_ok=True)
    home.database.write_bytes(b"noise" * 100)
    found = told()
    assert not found["world, whole"]["ok"]
    assert str(home.database) in found["world, whole"]["detail"]
    assert "backup" in found["world, whole"]["hint"]


def test_a_model_is_looked_for_from_the_home_as_the_actors_do(told, short_path):
    settings = '[memory]\nmodel = "mine"\n'
    _, checks = told(settings=settings)
    assert (checks["sentence model"]["ok"], checks["sentence model"]["detail"]) == (
        False,
        str(short_path / "home/mine"),
    )
    (short_path / "home" / "mine").mkdir()
    _, checks = told(settings=settings)
    assert checks["sentence model"]["ok"]


def test_it_says_who_generates_why_and_what_would_be_faster(told):
    _, checks = told()
    assert checks["engine"]["detail"] == "local: the embedded default"
    assert "faster engine" not in checks
    code, checks = told(settings='[inference]\nengine = "llama"\n')
    assert (code, checks["engine"]["ok"], "no GGUF file" in checks["engine"]["detail"]) == (3, False, True)


def test_a_faster_engine_is_named_with_the_command_that_brings_it(told, short_path, monkeypatch):
    monkeypatch.setattr(engines, "has_llama", lambda: False)
    monkeypatch.setattr(engines, "has_cuda", lambda _settings: False)
    model = short_path / "some.gguf"
    model.write_bytes(b"GGUF")
    _, checks = told(settings=f'[inference]\nmodel = "{model}"\n')
    assert checks["engine"]["detail"].startswith("local: ")
    assert (checks["faster engine"]["required"], "batos[llama]" in checks["faster engine"]["hint"]) == (False, True)
