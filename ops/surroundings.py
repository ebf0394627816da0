"""What supervisord and the processes of a home are started with. It stands apart from the program that becomes supervisord: whoever
only asks how a home is does not wait for the imports of that.
"""

from __future__ import annotations

import os
import shlex
import site
import sys
from pathlib import Path
from typing import Final

from protocol.home import Home

CONFIG: Final = Path(__file__).with_name("supervisord.conf")


def environment(home: Home) -> dict[str, str]:
    """What the configuration and the processes need: the interpreter, the home, and where the packages are."""
    found = {"BATOS_PYTHON": shlex.quote(sys.executable), "BATOS_QUOTED_HOME": shlex.quote(str(home.root))}
    packages = str(Path(__file__).parent.parent)
    # A checkout that is not installed must be found by the children too; installed packages are anyway.
    if packages not in site.getsitepackages():
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    return found
