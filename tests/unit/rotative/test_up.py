import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rotative import up
from rotative.announce import example, greeting
from rotative.programs import Plan, of
from shared.settings import unknown_settings


def plan(folder, **others):
    values = {"data_dir": folder, "port": 8123, "listener": 3, "redis": True, "flower_port": 5556, "demo": False}
    return Plan(**{**values, **others})


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "admin.key"

    up.make_key(path)
    first = path.read_text()
    up.make_key(path)

    assert path.read_text() == first
    assert len(first.strip()) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["admin.key"]


def test_a_taken_port_is_said_to_be(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(up.CannotStart, match=f"Port {port} is taken"):
            up.listen(port)
        assert up.free_port(port) != port


def test_a_data_folder_that_is_a_file_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(up.CannotStart, match="cannot be written"):
        up.make_folder(tmp_path / "file" / "var")
    with pytest.raises(up.CannotStart, match="cannot be written"):
        up.make_folder(tmp_path / "file")


def test_two_systems_on_one_folder_are_told_apart(tmp_path):
    with (
        up.locked(tmp_path),
        pytest.raises(up.CannotStart, match=rf"already runs on the data folder .* \(process {os.getpid()}\)"),
        up.locked(tmp_path),
    ):
        pass
    with up.locked(tmp_path):
        pass


def test_the_plan_survives_the_way_into_another_process(tmp_path):
    assert Plan.from_text(plan(tmp_path).to_text()) == plan(tmp_path)


def test_what_is_not_wanted_is_not_started(tmp_path):
    everything = {program.name for program in of(plan(tmp_path))}
    little = {program.name for program in of(plan(tmp_path, redis=False, flower_port=None))}

    assert everything == {"redis", "web", "worker-1", "worker-2", "index", "deliver", "flower", "announce"}
    assert everything - little == {"redis", "flower"}


def test_redis_stops_last_and_the_web_first(tmp_path):
    stages = {program.name: program.stage for program in of(plan(tmp_path))}

    assert stages["web"] == min(stages.values())
    assert [name for name, stage in stages.items() if stage == max(stages.values())] == ["redis"]


def test_stopping_is_bounded_by_fifteen_seconds(tmp_path):
    graces: dict[int, float] = {}
    for program in of(plan(tmp_path)):
        graces[program.stage] = max(program.grace_s, graces.get(program.stage, 0.0))

    assert sum(graces.values()) <= 15


def test_the_greeting_says_where_everything_is(tmp_path):
    text = greeting(plan(tmp_path))

    for part in ("http://127.0.0.1:8123/", "/docs", "http://127.0.0.1:5556/", str(tmp_path / "admin.key"), "curl"):
        assert part in text
    assert "5556" not in greeting(plan(tmp_path, flower_port=None))


def test_the_curl_line_reaches_the_shell_in_one_piece():
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {example('http://127.0.0.1:1', '/dev/null')}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert words[0] == "curl"
    assert words[-2] == "-d"
    assert words[-1].startswith('{"headline"')


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks a warm process")
def test_what_is_done_before_the_forks_starts_no_thread_leaves_nothing_open_and_says_nothing():
    # Processes that share one epoll instance, say, take each other's events.
    code = (
        "import os\n"
        "for name in ('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS'): os.environ[name] = '1'\n"
        "from rotative.programs import preload\n"
        "def opened():\n"
        "    links = [f'/proc/self/fd/{number}' for number in os.listdir('/proc/self/fd')]\n"
        "    return sorted(os.readlink(link) for link in links if os.path.lexists(link))\n"
        "before = opened()\n"
        "preload()\n"
        "print(len(os.listdir('/proc/self/task')), [one for one in opened() if one not in before])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("1 []\n", "")


def test_every_setting_of_the_example_is_known_and_a_misspelt_one_is_named_with_what_was_meant():
    example = Path(up.__file__).parent.parent / ".env.example"
    names = set(re.findall(r"^#? ?(ROTATIVE_\w+)=", example.read_text("utf-8"), re.MULTILINE))

    assert names
    assert names <= up.known_settings()
    assert unknown_settings({"ROTATIVE_NEWSROM": "x", "ROTATIVE_PORT": "1", "HOME": "/"}, up.known_settings()) == [
        "ROTATIVE_NEWSROM is no setting of Rotative; did you mean ROTATIVE_NEWSROOM?"
    ]


def test_a_start_that_is_refused_leaves_no_folder_where_there_was_none(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    command = str(Path(sys.executable).with_name("rotative"))
    environment = {**os.environ, "ROTATIVE_BASE_URL": "https://news.example/with/a/path"}

    for folder in (tmp_path / "new", kept):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        refused = subprocess.run(
            [command, "up", "--port", port, "--data", str(folder), "--no-flower"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        assert refused.returncode == 2
        assert refused.stderr.startswith("ROTATIVE_BASE_URL should be an address without a path")
        assert "newsroom.toml" not in refused.stderr

    assert not (tmp_path / "new").exists()
    assert (kept / "admin.key").exists()
