# make install   the exact tested versions into .venv (Python 3.11 to 3.13), and the crypto-lake command
# make up        the lake, started and kept running, until Ctrl-C or crypto-lake down; DEMO=1 on a made-up market
# make demo      the whole lake at work in some minutes; KEEP=1 leaves it running until Ctrl-C
# make test      ruff, mypy, pytest: what CI runs (on Debian, as root or with sudo, it installs Chromium and PostgreSQL where there are none)
# make soak      an hour with one part killed every four minutes; MINUTES=120 for longer
# make lint      the first two of these
# make bench     what is fast, measured, beside its rivals (which it installs)
# make audit     known vulnerabilities of what requirements.lock names, where their service can be reached
# make docs      write what the documents take from the code
# make lock      resolve both locks anew from pyproject.toml: the lake's, and the rivals' of make bench
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := install
.PHONY: install up demo test soak lint audit tools bench lock docs

BIN := .venv/bin
DONE := .venv/.installed
RIVALS := .venv/.rivals
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# A python3.12 on the PATH may be a shim that has no 3.12 behind it, or lack ensurepip: so each is tried by running it.
FIND_PYTHON = for python in python3.13 python3.12 python3.11 python3; do \
    if $$python -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
    then echo $$python; exit 0; fi; done; \
    echo 'Needed: Python 3.11, 3.12 or 3.13 with venv (Debian: apt-get install python3-venv)' >&2; exit 1

install: $(DONE)

# --no-deps: the lock holds the whole tree, and pip in hash mode refuses the extras that some packages name.
$(DONE): requirements.lock pyproject.toml
	@test -x $(BIN)/python || { python=$$($(FIND_PYTHON)); echo "$$python -m venv .venv"; $$python -m venv .venv; }
	@echo 'The locked packages, into .venv: a minute or three, without a word unless something is wrong'
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

up: $(DONE)
	$(BIN)/crypto-lake up $(if $(DEMO),--demo)

demo: $(DONE)
	$(BIN)/crypto-lake demo $(if $(KEEP),--keep)

lint: $(DONE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(DONE)
	$(BIN)/python -m deployments.audit

# What tests need and Python's index does not have. Where it cannot be had they are skipped, and say what is missing.
tools:
	@lacks=(); \
	command -v chromium chromium-browser google-chrome-stable google-chrome >/dev/null || lacks+=(chromium); \
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || lacks+=(postgresql); \
	as=; if [ "$$(id -u)" != 0 ]; then as='sudo -n'; fi; \
	if [ $${#lacks[@]} != 0 ] && command -v apt-get >/dev/null && grep -qs '^ID=debian' /etc/os-release \
	    && $$as true 2>/dev/null; then \
	  echo "apt-get install $${lacks[*]} (for the tests)"; \
	  { $$as apt-get update -qq && $$as env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qq -y --no-install-recommends "$${lacks[@]}"; } >/dev/null || echo 'Not installed: their tests are skipped'; fi

# Four at a time on two cores: those that keep a lake up mostly wait. tests/conftest.py has the longest files begin.
test: lint tools
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --durations 10 $(ARGS)

soak: $(DONE)
	$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),60) --kill-every 240

# The rivals are none of the lake's dependencies: they come into .venv for this alone.
$(RIVALS): $(DONE) benchmarks/requirements.lock
	$(PIP) install --no-deps --require-hashes -r benchmarks/requirements.lock
	@touch $@

bench: $(RIVALS)
	for bench in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$bench .py); done

docs: $(DONE)
	$(BIN)/python -m deployments.docs

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
  pyproject.toml

lock: $(DONE)
	$(COMPILE) --extra dashboard --extra dev --extra scale-out -o requirements.lock
	$(COMPILE) --extra bench -c requirements.lock -o benchmarks/requirements.lock
