#!/bin/sh
# Brings the containers up under a name of their own, makes a newsroom's journey through them, and removes them again:
# `make compose-test`. Where there is no Docker it says so and is content.
#
#   COMPOSE_COMMAND        "docker compose" or "docker-compose"; found by itself otherwise
#   COMPOSE_TEST_OVERRIDE  a further Compose file, for what this machine needs
set -eu
cd "$(dirname "$0")/../.."

if ! docker info >/dev/null 2>&1; then
    echo "The Compose test was not run: Docker does not answer on this machine."
    exit 0
fi
if [ -z "${COMPOSE_COMMAND:-}" ]; then
    if docker compose version >/dev/null 2>&1; then
        COMPOSE_COMMAND="docker compose"
    elif docker-compose version >/dev/null 2>&1; then
        COMPOSE_COMMAND="docker-compose"
    else
        echo "The Compose test was not run: there is neither \"docker compose\" nor docker-compose on this machine."
        exit 0
    fi
fi
python=.venv/bin/python
[ -x "$python" ] || python=python3

export COMPOSE_COMMAND
exec "$python" tests/compose/journey.py
