# Everything that this project does, by name. CI runs these targets and nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Twice as many as the cores of CI: half of what a test does is waiting for other processes.
WORKERS ?= 4
JOBS ?= 2
# The tests start some hundred processes, each of which would compile our sources anew.
unexport PYTHONDONTWRITEBYTECODE
SDK_VENV := .venv-sdk
COMPOSE_FILES := -f docker-compose.yml $(if $(TLS),-f docker-compose.tls.yml)
SDK_STAMP := $(SDK_VENV)/.installed
SDK_NODE := tests/sdk/node
BENCH_NODE := tests/bench/node
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.installed
PROVIDERS_NODE := tests/upstream/node
.PHONY: help setup demo up down certs doctor providers test test-all test-sdk test-containers bench mutants check fmt lock docs

help: ## this table
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## .venv with exactly what requirements.lock names

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, about half a minute) …"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

demo: $(STAMP) ## the whole story: log in, call the API, be refused, refresh, log out
	@$(BIN)/python -m client.demo

up: $(if $(TLS),certs) ## docker compose: all three, healthy; then open http://127.0.0.1:8400/   (TLS=1: under https)
	@docker compose $(COMPOSE_FILES) up --build --wait
	@echo "Open http://127.0.0.1:$${CLIENT_HOST_PORT:-8400}/ and log in as alice@example.com, password understudy"

down: ## stop them and leave nothing running; what they have stored stays   (docker compose down -v: forget it, too)
	@docker compose down --remove-orphans

certs: certs/ca.pem ## a local authority and a certificate for localhost, kept out of git

certs/ca.pem: | $(STAMP)
	@mkdir -p -m 700 certs
	@$(BIN)/python -m trustme --quiet --dir certs --identities localhost 127.0.0.1 ::1 authserver api \
		--expires-on "$$($(BIN)/python -c 'import datetime as d; print(d.date.today() + d.timedelta(days=365))')"
	@cd certs && mv server.pem localhost.pem && mv server.key localhost.key && mv client.pem ca.pem
	@# Only you get past the directory. The containers' user must read the files, each of which is mounted by itself.
	@chmod 644 certs/*
	@echo "certs/ca.pem is the authority that browsers and SDKs have to trust. It can sign nothing more: its key is gone."

doctor: $(STAMP) ## look at what runs, from this machine and from inside the containers; says what would fail and the fix
	@$(BIN)/python -m authserver doctor $(ARGS)

test: $(STAMP) providers ## the suite on SQLite; PostgreSQL and a browser where the machine has them
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-all: $(STAMP) providers ## the same, and a missing optional part is a failure
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --require-all $(ARGS)

providers: ## other people's identity providers (npm), for the tests of logins elsewhere; `make test` does it
	@if command -v npm >/dev/null && [ $(PROVIDERS_NODE)/package-lock.json -nt $(PROVIDERS_NODE)/node_modules/.package-lock.json ]; then \
		npm ci --silent --prefix $(PROVIDERS_NODE) || echo "npm could not install other people's identity providers; their tests are skipped"; fi

mutants: $(STAMP) ## take the protections out one by one; a test must notice each (some minutes)
	@$(BIN)/python -m tests.mutants --jobs $(JOBS) $(ARGS)

test-sdk: $(STAMP) $(SDK_STAMP) ## other people's SDKs, unmodified, against a freshly started server (needs Node.js and Chromium)
	@if command -v npm >/dev/null && [ $(SDK_NODE)/package-lock.json -nt $(SDK_NODE)/node_modules/.package-lock.json ]; then \
		npm ci --silent --prefix $(SDK_NODE) || \
		{ echo "npm could not install the SDKs: npm ci --prefix $(SDK_NODE) says why"; exit 1; }; fi
	@$(SDK_VENV)/bin/python -m pytest -c tests/sdk/pytest.ini --rootdir tests/sdk tests/sdk $(ARGS)

test-containers: $(STAMP) ## the compose files as people use them, on the Docker engine that DOCKER_HOST names, with a browser
	@docker info >/dev/null 2>&1 || { echo "No Docker engine answers here: start one, or set DOCKER_HOST."; exit 1; }
	@$(BIN)/python -m pytest -c tests/containers/pytest.ini --rootdir . tests/containers -v $(ARGS)

$(SDK_STAMP): tests/sdk/requirements.lock
	@$(PYTHON) -m venv $(SDK_VENV)
	@$(SDK_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/sdk/requirements.lock
	@touch $@

$(BENCH_STAMP): tests/bench/requirements.lock
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/bench/requirements.lock
	@touch $@

bench: $(STAMP) ## what a request and the test harness cost, beside others' (some minutes; ARGS=--help)
	@$(MAKE) --no-print-directory $(BENCH_STAMP) || echo "pip could not install oidc-provider-mock; the bench goes on without"
	@if command -v npm >/dev/null && [ $(BENCH_NODE)/package-lock.json -nt $(BENCH_NODE)/node_modules/.package-lock.json ]; then \
		npm ci --silent --prefix $(BENCH_NODE) || echo "npm could not install oidc-provider and oauth2-mock-server; the bench goes on without"; fi
	@$(BIN)/python -m tests.bench $(ARGS)

check: $(STAMP) ## lint, types, walls
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fmt: $(STAMP) ## put the code into its usual form
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

lock: $(STAMP) ## recompute requirements.lock, and the image's part of it (needs uv)
	@uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header --python-version 3.11 -o requirements.lock
	@uv pip compile pyproject.toml --extra postgres --extra saml --group app --universal --generate-hashes --no-header --python-version 3.11 \
		--constraints requirements.lock -o requirements-image.lock

docs: $(STAMP) ## rewrite the pages that are made from the code: map, dialects, settings
	@$(BIN)/python -m tests.documents $(ARGS)
