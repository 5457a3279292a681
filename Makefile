# For a fresh machine: `make run` opens the board, `make install` installs the program for you, `make test` and
# `make test-slow` run the tests.
# Needs Python 3.11 or newer, git and make; uses uv when it is there, else venv and pip.

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
VENV ?= $(ROOT)/.venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
UV_TO_LOCK ?= uv
COMPILE := $(UV_TO_LOCK) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"
# What pytest made of the tests is kept for the next run, whatever the environment says.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest
# The plugin takes a second of every process, and only slow tests use it.
QUICK := -n auto -m "not slow" -p no:schemathesis
PACKAGES := missions system config workspace sync worktrees agents mcp_server workstation tui hub cli

# The newest of the usual names that is 3.11 or later.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)

ifeq ($(UV),)
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(1)
else
install = "$(UV)" pip install --quiet --python $(BIN)/python --compile-bytecode $(1)
endif

.PHONY: run dev install fmt test test-slow test-faults test-agents coverage snapshots pictures openapi bench lint lint-style lint-types lint-pyright lint-layers \
	lock environment clean help
.DELETE_ON_ERROR:
.SUFFIXES:

run: $(VENV)/.ready ## open the board
	@exec $(BIN)/solo-unicorn $(ARGS)

PREFIX ?= $(HOME)/.local
PROGRAM := $(PREFIX)/share/solo-unicorn/program

install: ## install solo-unicorn with all its extras for you, below ~/.local (or PREFIX)
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) VENV=$(PROGRAM) $(PROGRAM)/.installed
	@mkdir -p $(PREFIX)/bin && ln -sfn $(PROGRAM)/bin/solo-unicorn $(PREFIX)/bin/solo-unicorn
	@mkdir -p $(PREFIX)/share/man/man1 && $(PROGRAM)/bin/solo-unicorn man > $(PREFIX)/share/man/man1/solo-unicorn.1
	@echo "solo-unicorn is installed: $(PREFIX)/bin/solo-unicorn"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) printf '%s\n' "$(PREFIX)/bin is not in your PATH. This adds it, and a line in the settings of your shell keeps it:" "  export PATH=\"$(PREFIX)/bin:\$$PATH\"";; esac

dev: $(VENV)/.ready ## open the board on a home of its own (.cache/dev), away from your missions
	@mkdir -p $(ROOT)/.cache/dev && SOLO_UNICORN_HOME=$(ROOT)/.cache/dev exec $(BIN)/solo-unicorn $(ARGS)

test: $(VENV)/.ready-to-test ## run the tests (ARGS="-k words" for some)
	@cd $(ROOT) && $(PYTEST) $(QUICK) $(ARGS)

test-slow: $(VENV)/.ready-to-test ## the tests that take seconds each: faults, many processes, servers, browsers
	@cd $(ROOT) && $(PYTEST) -n auto -m slow $(ARGS)

test-faults: $(VENV)/.ready-to-test ## faults of disks, clocks and processes in the real programs, for MINUTES (10), by a SEED
	@cd $(ROOT) && $(BIN)/python -m solo_unicorn.tests.faults.run --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1)

test-agents: $(VENV)/.ready-to-test ## the tests with real code agents, which npm installs into .cache/agents
	@cd $(ROOT) && SOLO_UNICORN_TEST_AGENTS=1 $(PYTEST) tests/real_agents -rs $(ARGS)

coverage: $(VENV)/.ready-to-test ## the quick tests, and which lines of the product they ran; fails under the floor in pyproject.toml
	@cd $(ROOT) && $(PYTEST) $(QUICK) --cov=solo_unicorn --cov-report=term:skip-covered $(ARGS)

snapshots: $(VENV)/.ready-to-test ## write the screens' snapshots anew; read the difference before you commit it
	@cd $(ROOT) && $(PYTEST) -n auto -q --snapshot-update tests/tui $(ARGS)

pictures: $(VENV)/.ready-to-test ## make docs/pictures and docs/walkthrough from the running application (ARGS="board-dark film" for some)
	@cd $(ROOT) && $(BIN)/python docs/pictures.py $(ARGS)
	@cd $(ROOT) && $(if $(ARGS),:,$(BIN)/python docs/walkthrough.py)

openapi: $(VENV)/.ready-to-test ## write docs/openapi.json anew
	@cd $(ROOT) && $(BIN)/python -m solo_unicorn.hub.api.openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

bench: $(VENV)/.ready-to-test ## measure beside a floor (one of: make bench NAME=board|cli|mcp|sync|hub|worktrees|night|review|proof)
	@cd $(ROOT) && $(BIN)/python bench/$(or $(NAME),board).py $(ARGS)

lint: lint-pyright lint-types lint-style lint-layers ## ruff, mypy, pyright, import-linter (make -k lint: all of them, whatever fails)

fmt: $(VENV)/.ready-to-test ## format the code
	@cd $(ROOT) && $(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

lint-style: $(VENV)/.ready-to-test
	@cd $(ROOT) && $(BIN)/ruff check .
	@cd $(ROOT) && $(BIN)/ruff format --check .

lint-types: $(VENV)/.ready-to-test
	@cd $(ROOT) && $(BIN)/mypy

lint-pyright: $(VENV)/.ready-to-test
	@cd $(ROOT) && $(BIN)/basedpyright --level error

lint-layers: $(VENV)/.ready-to-test
	@cd $(ROOT) && PATH="$(BIN):$$PATH" $(BIN)/lint-imports

audit: $(VENV)/.ready ## ask whether a dependency has a known weakness (says so where there is no network)
	@cd $(ROOT) && $(BIN)/python .ci/audit.py requirements/main.txt requirements/hub.txt

lock: ## write requirements/*.txt anew from pyproject.toml (needs uv)
	@mkdir -p $(ROOT)/requirements
	@cd $(ROOT) && $(COMPILE) pyproject.toml -o requirements/main.txt
	@cd $(ROOT) && $(COMPILE) pyproject.toml --all-extras --constraint requirements/main.txt -o requirements/hub.txt
	@cd $(ROOT) && $(COMPILE) pyproject.toml --all-extras --group dev --constraint requirements/hub.txt -o requirements/dev.txt
	@cd $(ROOT) && $(COMPILE) --group build --constraint requirements/dev.txt -o requirements/build.txt

environment: $(VENV)/.ready-to-test ## only make the environment

clean: ## remove the environment and what was built
	rm -rf $(VENV) $(ROOT)/build $(ROOT)/dist $(ROOT)/*.egg-info
	find $(ROOT) -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

# An environment that was copied or half made is made again: its python must start.
$(BIN)/python:
	@$(if $(PYTHON)$(UV),,$(error solo-unicorn needs Python 3.11 or newer with venv, or uv. Install one (Debian: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3))
	@echo "Making the environment in $(VENV) …" >&2
	@if [ -n "$(PYTHON)" ] && [ -z "$(UV)" ]; then "$(PYTHON)" -m venv "$(VENV)"; \
	elif [ -n "$(PYTHON)" ]; then "$(UV)" venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" "$(VENV)"; \
	else "$(UV)" venv --quiet --allow-existing --python 3.11 "$(VENV)"; fi

# The build back-end comes with the lock and nothing is built apart, so that all that is fetched has a hash.
$(VENV)/.ready: $(BIN)/python $(ROOT)/requirements/main.txt $(ROOT)/requirements/build.txt $(ROOT)/pyproject.toml
	@echo "Installing what solo-unicorn needs …" >&2
	@$(call install,--require-hashes -r $(ROOT)/requirements/main.txt)
	@$(call install,--require-hashes -r $(ROOT)/requirements/build.txt)
	@$(call install,--no-deps --no-build-isolation --editable $(ROOT))
	@mkdir -p $(VENV)/root && ln -sfn $(ROOT) $(VENV)/root/solo_unicorn
	@$(BIN)/python -m compileall -q $(addprefix $(ROOT)/,$(PACKAGES)) $(ROOT)/__init__.py $(ROOT)/__main__.py
	@touch $@

$(VENV)/.ready-to-test: $(VENV)/.ready $(ROOT)/requirements/dev.txt
	@echo "Installing what the tests need …" >&2
	@$(call install,--require-hashes -r $(ROOT)/requirements/dev.txt)
	@touch $@

# Built from a copy: what an earlier build left in the checkout must not get into the program.
.PHONY: $(VENV)/.installed
$(VENV)/.installed: $(BIN)/python
	@echo "Installing solo-unicorn into $(VENV) …" >&2
	@$(call install,--require-hashes -r $(ROOT)/requirements/hub.txt)
	@$(call install,--require-hashes -r $(ROOT)/requirements/build.txt)
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && cd $(ROOT) \
		&& tar -cf - --exclude='./.*' --exclude=./build --exclude=./tests --exclude='*.egg-info' . | tar -xf - -C "$$copy" \
		&& $(call install,--no-deps --no-build-isolation --force-reinstall "$$copy")
