import os
import stat
from pathlib import Path

import pytest

from rotative import broker


def test_the_wheels_server_is_found_and_can_be_run():
    assert os.access(broker.find_server(), os.X_OK)


def test_the_socket_is_in_the_data_folder_when_its_path_is_short_enough():
    assert broker.socket_path(Path("/srv/news")) == Path("/srv/news/redis.sock")


def test_a_long_data_folder_gets_a_private_short_one_that_is_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(broker.tempfile, "gettempdir", lambda: "/tmp")
    data_dir = tmp_path / ("a" * 60) / ("b" * 60)

    path = broker.socket_path(data_dir)

    try:
        assert len(str(path)) <= broker.LONGEST_SOCKET_PATH
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert broker.socket_path(data_dir) == path
        assert broker.socket_path(data_dir / "c") != path
    finally:
        path.parent.rmdir()
        broker.socket_path(data_dir / "c").parent.rmdir()


def test_a_folder_that_others_may_enter_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(broker.tempfile, "gettempdir", lambda: "/tmp")
    data_dir = tmp_path / ("a" * 120)
    folder = broker.socket_path(data_dir).parent
    folder.chmod(0o755)

    try:
        with pytest.raises(broker.NoBroker, match="not private"):
            broker.socket_path(data_dir)
    finally:
        folder.rmdir()


def test_the_server_listens_on_no_port_evicts_nothing_and_writes_nothing():
    arguments = broker.server_arguments(Path("/bin/valkey-server"), Path("/srv/news/redis.sock"))
    options = dict(zip(arguments[1::2], arguments[2::2], strict=True))

    assert options["--port"] == "0"
    assert options["--unixsocket"] == "/srv/news/redis.sock"
    assert options["--maxmemory-policy"] == "noeviction"
    assert (options["--save"], options["--appendonly"]) == ("", "no")
