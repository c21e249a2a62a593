# Every target sets up what it needs; a second time nothing is left to do.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
BOOKS := var/business.db

# Temporal's server in a container; where it can't be pulled, one is built from the program that is installed anyway.
IMAGE ?= temporalio/temporal:1.9.1
IN_CONTAINERS := tests/containers $(addprefix tests/workflows/test_,conversation.py conversation_length.py \
	conversation_replies.py points.py compiled.py customer_support.py)

.PHONY: setup demo demo-pipeline run test test-all test-containers check bench pictures histories lock clean browser prometheus engine
.DELETE_ON_ERROR:

setup: $(INSTALLED) $(BOOKS)  ## install everything into .venv, make the example's database

demo: setup  ## watch three support requests being solved, two of them in conversations
	@$(BIN)/python -m infra.demo

demo-pipeline: setup  ## watch a failing commit being mended, reviewed and deployed
	@$(BIN)/python -m infra.demo_pipeline

run: setup  ## a Temporal server and a worker, until Ctrl-C
	@$(BIN)/python worker.py --dev

test: setup browser prometheus  ## all tests but the slow ones, on real servers
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

test-all: setup browser prometheus  ## all tests; takes some minutes longer
	$(BIN)/pytest -n 2 --dist loadfile

test-containers: setup engine  ## the end-to-end tests against a Temporal server in a container, and its outages
	$(BIN)/pytest -n 2 --dist loadfile --temporal-image $(IMAGE) $(IN_CONTAINERS)

check: $(INSTALLED)  ## format, lint, types, workflows
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/temporal-parley check --strict

bench: setup  ## counts and times
	$(BIN)/python -m tests.bench

pictures: setup browser  ## take the pictures of the docs anew, in the real Web UI
	@$(BIN)/python -m tests.pictures

histories: $(INSTALLED)  ## record anew what tests/replay replays; only where old runs need not go on
	$(BIN)/python -m tests.replay.record

lock: $(INSTALLED)  ## pin what pyproject.toml asks for, leaving what fits as it is
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
		pyproject.toml --group dev --output-file requirements.lock
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
		pyproject.toml --constraint requirements.lock --output-file infra/worker.lock

clean:  ## remove all that was made here, with the runs and books in var/
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock is complete, so nothing else is installed; a package that is not what it was is refused by its hash.
$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Parley needs Python 3.11 or later: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Installing into .venv; the first time this takes a minute or two."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BOOKS): | $(INSTALLED)
	@$(BIN)/python worker.py --prepare

browser:
	@command -v chromium >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "The tests of the Web UI need chromium, and leave themselves out without it: install it to run them." >&2; fi

prometheus:
	@command -v prometheus >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus >/dev/null; \
	else echo "The tests of metrics need prometheus, and leave themselves out without it: install it to run them." >&2; fi

engine:
	@docker info >/dev/null 2>&1 || command -v podman >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends podman runc >/dev/null; \
	else echo "A container engine is needed: start Docker, or install podman." >&2; exit 1; fi
