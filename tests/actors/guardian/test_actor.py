from __future__ import annotations

import pytest

from actors.guardian.actor import Guardian
from bus.stub import StubBus
from protocol import verbs
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Answer, Done, Judge, Probe, ProbeInput, Ran, Resume, Resumed, Run, StatusQuery, Trial

GOOD = "def one_(self):\n    return 1\n"
ME = Ref("00000000000000aa")


async def test_the_verbs(tmp_path):
    (tmp_path / "batos.toml").write_text('[guardian]\nworkers = 1\nmay_lack = ["namespaces", "landlock", "nobody"]\n')
    guardian = Guardian(Home(tmp_path))
    bus = StubBus({("guardian", verb): handler for verb, handler in guardian.handlers().items()})
    try:
        status = await bus.call(verbs.STATUS["guardian"], StatusQuery(), seconds=1)
        assert (status.ready, status.waiting_for) == (False, "the jail")
        with pytest.raises(BatosError) as caught:
            await bus.call(verbs.JUDGE, Judge(source=GOOD), seconds=5)
        assert caught.value.code == "NOT_READY"
        await guardian.begin()
        status = await bus.call(verbs.STATUS["guardian"], StatusQuery(), seconds=1)
        assert status.ready
        assert status.detail["may_lack"] == ["namespaces", "landlock", "nobody"]
        assert set(status.detail["missing"]) <= set(status.detail["may_lack"])
        assert (await bus.call(verbs.JUDGE, Judge(source=GOOD), seconds=5)).accepted
        ran = await bus.call(verbs.RUN, Run(source=GOOD, receiver=ME), seconds=5)
        assert ran.outcome == Done(result=1)
        sends = Run(source="def two_(self):\n    return self.one_() + 1\n", receiver=ME, suspend=True)
        ran = await bus.call(verbs.RUN, sends, seconds=5)
        answer = Answer(digest=ran.outcome.digest, value=1)
        resume = Resume(suspended=ran.suspended, answer=answer)
        for expected in (Resumed(ran=Ran(outcome=Done(result=2))), Resumed()):
            assert await bus.call(verbs.RESUME, resume, seconds=5) == expected
        tried = await bus.call(verbs.TRIAL, Trial(source=GOOD, receiver=ME), seconds=5)
        assert (tried.verdict, tried.outcome) == ("accept", Done(result=1))
        probed = await bus.call(verbs.PROBE, Probe(sources=[GOOD], receiver=ME, inputs=[ProbeInput()]), seconds=5)
        assert probed.sources[0].outcomes == [{"returns": 1}]
    finally:
        await guardian.close()


def test_a_wrong_configuration_is_named(tmp_path):
    (tmp_path / "batos.toml").write_text('[guardian]\nmay_lack = ["walls"]\n')
    with pytest.raises(BatosError) as caught:
        Guardian(Home(tmp_path))
    assert caught.value.code == "BAD_CONFIG"
