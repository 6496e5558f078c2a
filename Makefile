# Everything a person types. `make run` and `make test` need only Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_PROJECTS := channel_server/web/demo tests/js

.PHONY: run test quick check bench load chaos soak setup synapse clean help

run: $(VENV)/.ready ## Try it: channel server, embedded Redis, demo page
	$(BIN)/channel-server dev

test: $(VENV)/.ready ## The whole test suite: most of it four at a time, then what has to run alone
	status=0; \
	$(BIN)/python -m pytest -m 'not serial' --numprocesses=4 --dist=worksteal || status=1; \
	$(BIN)/python -m pytest -m serial || status=1; \
	exit $$status

quick: $(VENV)/.ready ## In a minute or so: the tests that need no Redis, with fewer examples, and types
	$(BIN)/python -m pytest -m 'not serial' --numprocesses=2 --hypothesis-profile=brief tests/property tests/unit tests/contract tests/conformance
	$(BIN)/python -m pytest -m serial tests/conformance tests/unit & $(BIN)/mypy; status=$$?; wait $$! && exit $$status

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

$(VENV)/.ready: pyproject.toml deploy/constraints.txt $(NODE_PROJECTS:%=%/package-lock.json)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint deploy/constraints.txt --editable '.[dev]'
	for project in $(NODE_PROJECTS); do \
	  PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix $$project --no-audit --no-fund --no-update-notifier --loglevel=error || exit 1; \
	done
	touch $@

clean: ## Remove what setup installed
	rm -rf $(VENV) .synapse $(NODE_PROJECTS:%=%/node_modules)

help: ## This list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'
