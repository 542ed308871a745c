# make run    the whole system on this machine        make test   every test
# make check  lint, types and tests, as CI does it    make bench  what DESIGN promises, measured
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
DATA ?= ./var
ARTICLES ?=
MINUTES ?= 5
SEQUENCES ?= 3000
SEED ?= $(shell date +%s)

.PHONY: install run test check lint types chaos sequences bench compose-test openapi lock clean check-site screenshots

install: .venv/installed

.venv/installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Rotative needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: install
	$(BIN)/rotative up --port $(PORT) --data $(DATA) --demo

test: install
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

check: lint types test

chaos: install
	$(BIN)/python -m tests.faults.chaos --minutes $(MINUTES) $(if $(ARTICLES),--articles $(ARTICLES))

sequences: install
	for seed in $$(seq $(SEED) $$(($(SEED) + ($(SEQUENCES) - 1) / 200))); do \
	  echo "200 sequences, seed $$seed"; \
	  ROTATIVE_TEST_SEQUENCES=200 $(BIN)/python -m pytest -q -n0 --hypothesis-seed=$$seed \
	    tests/unit/recommend/test_index.py -k whatever_came || exit 1; \
	done

bench: install
	$(BIN)/python -m bench $(if $(ARTICLES),--articles $(ARTICLES))
	$(BIN)/python -m bench.related_cost $(if $(ARTICLES),--articles $(ARTICLES))
	$(BIN)/python -m bench.deliveries
	$(BIN)/python -m bench.site $(if $(ARTICLES),--articles $(ARTICLES))

compose-test:
	sh tests/compose/run.sh

openapi: install
	$(BIN)/python -m rotative.openapi

# What outside judges say of a running site. Those that are no Python packages, and need java, node and chromium:
# npm ci --prefix checks --ignore-scripts. With ALL=1 a judge that is not installed is a fault.
URL ?= http://127.0.0.1:$(PORT)
check-site: install
	$(BIN)/python -m checks $(URL) $(if $(ALL),--all)

screenshots:
	node checks/screenshots.mjs $(URL) docs/screenshots

lock:
	sh requirements/lock.sh

clean:
	rm -rf .venv build dist *.egg-info
