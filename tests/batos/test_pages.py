"""Every line of docs/python.md is run, and so is the notebook among the examples."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AREA = "def area_(self):\n    return self.width * self.height\n"
EDGE = "def edge_(self):\n    return (self.width + self.height) * 2\n"
DOUBLE = "def double_width_(self):\n    return self.width * 2\n"


def test_every_line_of_the_page_does_what_it_says(behind, played):
    played.rounds = [[AREA] * 2, [EDGE] * 2]
    page = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) > 8
    # `asyncio.run` has a loop of its own, and the played house lives on the client's.
    text = "\n".join(blocks).replace("asyncio.run(area())", "run(area())")
    test = doctest.DocTestParser().get_doctest(text, {"run": behind.run}, "docs/python.md", None, None)
    told = []
    flags = doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=flags, verbose=False).run(test, out=told.append)
    assert result.failed == 0, "".join(told)
    assert result.attempted > 30


@pytest.mark.usefixtures("behind")
def test_the_notebook_runs_from_its_first_cell_to_its_last(played, capsys):
    played.rounds = [[AREA] * 2, [DOUBLE] * 2]
    runpy.run_path(str(ROOT / "examples" / "notebook.py"))
    told = capsys.readouterr().out.splitlines()
    assert told[1:3] == ["30 written", "30"]
    assert any(line.startswith("refused: state change without signal") for line in told)
    assert any(line.startswith("waits: ") for line in told)
    assert told[-2:] == ["True", "False"]
