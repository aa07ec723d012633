"""Who holds a callback port: said to the person who cannot log in because of it."""

import socket
import sys
from pathlib import Path

import pytest

from client.errors import LoginFailedError
from client.loopback import Listener
from client.ports import holder

linux = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")


@linux
def test_the_process_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = holder(port)
        assert found is not None
        assert "python" in found
        with pytest.raises(LoginFailedError, match=f"None of the callback ports {port} on") as caught:
            Listener("state", [port])
        assert f"Taken: {port} by {found}" in caught.value.hint
    assert holder(port) is None


def test_where_nothing_can_be_seen(tmp_path: Path) -> None:
    assert holder(8400, tmp_path) is None
