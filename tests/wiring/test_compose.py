"""The Compose file, nginx and the list of settings agree with the code. `make compose-test` shows that they run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rotative.gateway import OWNERS
from rotative.parts import SERVICES, settings_of
from services.publish.pages import CONTENT_SECURITY_POLICY
from services.publish.site.headers import TYPES
from shared import routing
from shared.celery_app import KEY_PREFIX

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = (ROOT / "docker-compose.yml").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
NGINX = (ROOT / "docker" / "nginx" / "nginx.conf").read_text()
# Read by the command `rotative`, which is no service.
COMMAND_SETTINGS = {"ROTATIVE_URL", "ROTATIVE_KEY"}
OURS = re.compile(r"(ingest|recommend|publish)-")


@pytest.fixture(scope="module")
def containers() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE_FILE)["services"]
    return found


class Asked(dict[str, str]):
    """An environment without variables that remembers which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def settings_in_the_code() -> set[str]:
    asked = Asked()
    for service in SERVICES:
        settings_of(service, asked)
    return asked.names | COMMAND_SETTINGS


def settings_in_the_example() -> list[str]:
    return re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE)


def variables_of_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_FILE))


def consumed(containers: dict[str, Any]) -> Iterator[str]:
    for container in containers.values():
        command = container.get("command", [])
        if "--queues" in command:
            yield from command[command.index("--queues") + 1].split(",")


def test_every_queue_is_consumed_by_the_workers_of_one_kind(containers):
    assert Counter(consumed(containers)) == Counter(routing.queues(*routing.SERVICES))


def test_every_service_has_an_api_a_worker_and_a_sweeper(containers):
    for service in routing.SERVICES:
        assert {f"{service}-{part}" for part in ("api", "worker", "sweeper")} <= set(containers)
        assert f"services.{service}.sweeper" in containers[f"{service}-sweeper"]["command"]
        assert f"services.{service}.worker" in containers[f"{service}-worker"]["command"]


def test_one_process_alone_holds_the_index(containers):
    command = containers["recommend-worker"]["command"]

    assert command[command.index("--concurrency") + 1] == "1"


def test_every_setting_is_in_the_example_once_and_every_name_there_is_a_setting():
    listed = settings_in_the_example()

    assert Counter(listed) == Counter(settings_in_the_code() | variables_of_compose())


def test_every_secret_is_demanded_and_given_to_nobody_else(containers):
    demanded = set(re.findall(r"\$\{([A-Z_]+):\?\1 is missing;", COMPOSE_FILE))
    empty = set(re.findall(r"^([A-Z_]+)=$", EXAMPLE, re.MULTILINE))

    assert demanded == empty
    for name, container in containers.items():
        others = set(routing.SERVICES) - {name.partition("-")[0]} if OURS.match(name) else set()
        for other in others:
            assert f"ROTATIVE_{other.upper()}_DATABASE_URL" not in container["environment"], name
        if not name.endswith("-api"):
            assert "ROTATIVE_ADMIN_KEY" not in container.get("environment", {}), name


def test_every_container_has_a_health_check_and_time_to_stop(containers):
    for name, container in containers.items():
        assert container["healthcheck"]["test"], name
        assert container["stop_grace_period"], name


def test_our_containers_run_without_rights(containers):
    built = {one["image"]: one["build"]["dockerfile"] for one in containers.values() if "build" in one}

    assert set(built) == {f"rotative-{name}" for name in (*routing.SERVICES, "flower", "web")}
    for dockerfile in built.values():
        assert re.findall(r"^USER (.*)$", (ROOT / dockerfile).read_text(), re.MULTILINE) == ["10001:10001"]
    for name, container in containers.items():
        if container["image"] in built:
            assert container["read_only"] is True, name
            assert container["cap_drop"] == ["ALL"], name


def test_every_image_is_built_once(containers):
    built = [container["image"] for container in containers.values() if "build" in container]

    assert len(set(built)) == len(built)


def test_nginx_hands_each_path_to_the_service_that_the_embedded_gateway_does():
    blocks = re.findall(r"location ~ \^/v1/\(([a-z|]+)\)\S* \{[^}]*proxy_pass http://\$(\w+);", NGINX)
    found = {word: service for words, service in blocks for word in words.split("|")}

    assert found == OWNERS


def test_nginx_sends_pages_with_the_policy_and_types_of_publish():
    headers = (ROOT / "docker" / "nginx" / "site-headers.conf").read_text()
    types = re.search(r"types \{(.*?)\}", NGINX, re.DOTALL)
    assert types is not None
    by_ending = {
        f".{ending}": line.split()[0]
        for line in types[1].strip().split(";")
        if line.strip()
        for ending in line.split()[1:]
    }

    assert f'"{CONTENT_SECURITY_POLICY}" always;' in headers
    for ending, content_type in TYPES.items():
        assert by_ending[ending] == content_type.partition(";")[0]


def test_flower_listens_under_the_prefix_of_the_services():
    assert f'"global_keyprefix": "{KEY_PREFIX}"' in (ROOT / "docker" / "flower" / "celeryconfig.py").read_text()


def test_the_secrets_are_made_once(tmp_path):
    file = tmp_path / "env"
    command = ["sh", str(ROOT / "docker" / "make-env.sh"), str(file)]

    first = subprocess.run(command, capture_output=True, text=True)
    made = file.read_text()
    second = subprocess.run(command, capture_output=True, text=True)

    assert (first.returncode, second.returncode) == (0, 1)
    assert file.read_text() == made
    secrets = re.findall(r"^[A-Z_]+=(.*)$", made, re.MULTILINE)
    assert len(set(secrets)) == len(secrets) == 8
    assert all(re.fullmatch(r"[0-9a-f]{48}", secret) for secret in secrets)
    assert file.stat().st_mode & 0o077 == 0


def test_a_module_runs_beating_with_its_own_arguments(tmp_path):
    file = tmp_path / "alive"

    done = subprocess.run(
        [sys.executable, "-m", "shared.heartbeat", str(file), "json.tool", "--compact"],
        input='{"a": 1}',
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert done.stdout == '{"a":1}\n'
    assert file.exists()
