# Everything a person types. `make run` and `make test` need only Python >= 3.11 and make.
# PYTHON=python3.13 uses another one, in a virtual environment of its own.
PYTHON ?= python3
VENV := $(if $(filter python3,$(PYTHON)),.venv,.venv-$(shell $(PYTHON) -c 'import platform; print(platform.python_version())'))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint deploy/constraints.txt --editable
PYTEST := $(BIN)/python -m pytest
REDIS := $(addprefix tests/integration/test_,publisher*.py redis_*.py directory.py journal_scripts.py stream.py feed.py \
  recovery.py control.py acl.py demotion.py sentinels.py cluster*.py tls.py) \
  tests/matrix/test_outbox.py
NPM_CI := npm ci --no-audit --no-fund --no-update-notifier --loglevel=error

.PHONY: run test quick units redis check bench load chaos soak setup synapse clean help

run: $(VENV)/.run ## Try it: channel server, embedded Redis, demo page
	$(BIN)/channel-server dev

test: $(VENV)/.ready ## The whole test suite: most of it four at a time, then what has to run alone
	status=0; \
	$(PYTEST) -m 'not serial' --numprocesses=4 --dist=worksteal || status=1; \
	$(PYTEST) -m serial || status=1; \
	exit $$status

quick: $(VENV)/.ready ## In a minute or so: the tests that need no Redis, and types
	$(PYTEST) -m 'not serial' --numprocesses=2 --hypothesis-profile=brief tests/property tests/unit tests/contract tests/conformance
	$(PYTEST) -m serial tests/conformance tests/unit & $(BIN)/mypy; status=$$?; wait $$! && exit $$status

units: $(VENV)/.test ## Unit and contract tests only, for another Python: make units PYTHON=python3.13
	$(PYTEST) -m 'not serial' --numprocesses=2 tests/unit tests/contract

redis: $(VENV)/.ready ## Only the tests of what is said to Redis: make redis REDIS_SERVER=/usr/bin/redis-server
	$(PYTEST) -m 'redis and not serial' --numprocesses=4 --dist=worksteal $(REDIS)
	$(PYTEST) -m 'redis and serial' $(REDIS)

check: $(VENV)/.ready ## Formatting, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/node tests/js/node_modules/pyright/index.js
	$(BIN)/lint-imports

bench: $(VENV)/.ready ## Our server beside its peers; writes docs/benchmarks.md
	$(BIN)/python -m tests.bench

load: $(VENV)/.ready ## 500 browsers for a minute, cut off now and then: fails if a message is lost; writes docs/load.md
	$(BIN)/python -m tests.load

chaos: $(VENV)/.ready ## Cuts, kills and Redis trouble: what is lost, by us and by Node; a quarter of an hour
	$(BIN)/python -m tests.chaos

soak: $(VENV)/.ready ## Clients come and go, MINUTES=10: fails if a server's memory or descriptors grow
	$(BIN)/python -m tests.soak

setup: $(VENV)/.ready ## Only install what the other targets need

synapse: .synapse/.ready ## Install Synapse, a Matrix homeserver, for the tests of the bots: 240 MB

.synapse/.ready: tests/matrix/synapse-requirements.txt
	$(PYTHON) -m venv .synapse
	.synapse/bin/python -m pip install --quiet --requirement $<
	touch $@

# One virtual environment in three steps: what running needs, what tests import, all programs.
$(VENV)/.run: pyproject.toml deploy/constraints.txt channel_server/web/demo/client/package-lock.json
	@extras=$$($(PYTHON) deploy/before_install.py $(VENV) "110 MB, in less than a minute") && \
	$(PYTHON) -m venv $(VENV) && $(PIP) ".[$$extras]"
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) '.[test]'
	@touch $@

$(VENV)/.ready: $(VENV)/.test tests/js/package-lock.json
	@$(PYTHON) deploy/before_install.py $(VENV) "1.2 GB with all that tests and checks run, in two minutes or less" >/dev/null
	$(PIP) '.[dev]'
	PATH="$(abspath $(BIN)):$$PATH" $(NPM_CI) --prefix tests/js
	@touch $@

clean: ## Remove what setup installed
	rm -rf .venv* .synapse tests/js/node_modules

help: ## This list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'
