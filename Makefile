# Two commands are enough: `make run` starts Homarus, `make test` runs every test.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= 3
UV     ?= uv

RUNTIME := $(VENV)/.runtime-installed
DEV     := $(VENV)/.dev-installed

.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt bench docs web lock crash simulate fuzz conformance

help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) ## Install everything into .venv, development tools too.
	@echo "Everything is installed in $(VENV)."

run: $(RUNTIME) ## Build the chat page when it changed, start, and print a login link.
	@$(BIN)/python scripts/system_packages.py
	@$(BIN)/python web/build.py
	@$(BIN)/homarus up

test: $(DEV) ## Run every test; ends with the summary line of pytest.
	@$(BIN)/python scripts/web_tests.py
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

check: $(DEV) ## Lint, formatting, types, import direction.
	@$(BIN)/ruff check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports

fmt: $(DEV) ## Fix what can be fixed by itself, and format.
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(DEV) ## Measure start, memory, a turn, and the command line.
	@$(BIN)/python benchmarks/run.py

docs: $(DEV) ## Write the generated reference pages again, and those the gateway serves.
	@$(BIN)/python -m homarus.cli.reference docs/reference/cli.md
	@$(BIN)/python -m homarus.config.reference > docs/reference/config.md
	@$(BIN)/python -m homarus.gateway.operations.reference docs/reference/operations.md
	@$(BIN)/python -m homarus.gateway.http.document_files

web: $(RUNTIME) ## Build the chat page.
	@$(BIN)/python web/build.py

lock: ## Pin the newest versions that pyproject.toml admits (needs uv: https://docs.astral.sh/uv).
	@command -v $(UV) >/dev/null || { echo "make lock needs uv. Type: pip install uv"; exit 1; }
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --all-extras --upgrade --quiet \
	    --no-emit-index-url --custom-compile-command "make lock" --output-file requirements.lock
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --all-extras --group dev --upgrade --quiet \
	    --constraint requirements.lock --no-annotate \
	    --no-emit-index-url --custom-compile-command "make lock" --output-file requirements-dev.lock

$(BIN)/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Homarus needs Python 3.11 or newer. Debian and Ubuntu: sudo apt-get install python3.11 python3.11-venv"; \
	    echo "If it is somewhere else, type: make PYTHON=/path/to/python3.11 run"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "This Python cannot make environments. Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing development tools into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	@touch $@

crash: $(DEV) ## Kill a gateway at every journal step, 20 times each, and print what that left behind.
	@HOMARUS_CRASH_REPEAT=$${HOMARUS_CRASH_REPEAT:-20} $(BIN)/pytest -n $(WORKERS) tests/crash

simulate: $(DEV) ## Run the pipeline under the simulator: SEEDS=10000, or replay one with SEED=n.
	@$(BIN)/python scripts/simulate.py $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000) --workers $(WORKERS))

fuzz: $(DEV) ## Feed a million damaged frames and half a million bodies; SEED=n repeats a run.
	@$(BIN)/python scripts/fuzz.py $(if $(SEED),--seed $(SEED),)

conformance: $(DEV) ## Run OpenClaw's own clients against Homarus and the other way round: RELEASE=2026.9.6, ONLY=cron, RECORD=1.
	@$(BIN)/python -m conformance $(if $(RELEASE),--release $(RELEASE)) $(if $(ONLY),--only "$(ONLY)") $(if $(RECORD),--write)
