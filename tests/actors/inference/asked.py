"""An inference actor as a test asks it."""

from __future__ import annotations

import pytest

from bus.stub import StubBus
from protocol.errors import BatosError
from protocol.messages import Experts, Import, Infer, Row, Sampling
from protocol.verbs import VERBS

GREEDY = Sampling(temperature=0)


class Asked:
    """An inference actor that is ready, and a bus to it."""

    def __init__(self, inference):
        self.inference = inference
        self._bus = StubBus({("inference", verb): handler for verb, handler in inference.handlers().items()})

    async def __call__(self, verb, request):
        return await self._bus.call(VERBS["inference"][verb], request, seconds=60)

    async def bring(self, name, folder):
        return await self("import", Import(path=str(folder), name=name))

    async def texts(self, *experts):
        rows = [Row(prompt="hello", expert=expert, sampling=GREEDY, max_tokens=16) for expert in experts]
        return [row.text for row in (await self("infer", Infer(rows=rows))).rows]

    async def refused(self, verb, request):
        with pytest.raises(BatosError) as caught:
            await self(verb, request)
        return caught.value

    async def listed(self):
        return {view.name: view for view in (await self("experts", Experts())).experts}
