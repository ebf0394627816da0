"""The port: a free one, a taken one, and one that is nobody's to take."""

from __future__ import annotations

import pytest

from cli.doors.http.running import bound
from protocol.errors import BatosError


def test_a_port_that_is_taken_says_so_and_what_to_do():
    with bound("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(BatosError) as refused:
            bound("127.0.0.1", port)
    assert (refused.value.code, refused.value.exit_code) == ("PORT_TAKEN", 6)
    assert f"--port {port + 1}" in refused.value.hint


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_that_is_not_ours_says_so(host):
    with pytest.raises(BatosError) as refused:
        bound(host, 0)
    assert refused.value.code == "USAGE"
