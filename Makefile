# Two commands: `make demo` shows the main job on real input, `make test` runs the whole suite.
# Everything they need is installed into .venv/ and var/ of this folder; nothing else on the machine is touched.

SHELL := /bin/sh
.DEFAULT_GOAL := help
HERE := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
VENV := $(HERE)/.venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## play demo calls through the daemon and show what a supervisor would see
	@cd $(HERE) && $(BIN)/zccvoice demo

test: $(READY) ## the whole test suite
	@cd $(HERE) && $(BIN)/python -m pytest

lint: $(READY) ## style and types
	@cd $(HERE) && $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

setup: $(READY) ## only the virtual environment

# The stamp is written last, so an interrupted installation is simply done again.
$(READY): $(HERE)/requirements.lock $(HERE)/pyproject.toml $(HERE)/scripts/make_environment.sh
	@sh $(HERE)/scripts/make_environment.sh $(VENV)
	@touch $@

lock: ## write requirements.lock anew (needs uv)
	cd $(HERE) && uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet -o requirements.lock

clean: ## remove what the commands above made
	rm -rf $(VENV) $(HERE)/var $(HERE)/.mypy_cache $(HERE)/.ruff_cache $(HERE)/.pytest_cache $(HERE)/.hypothesis

.PHONY: help demo test lint setup lock clean
