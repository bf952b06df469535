# Walkforge. `make run` and `make test` do all set-up themselves; `make help` lists the rest.
#
# One kind of build. Build, tests, lints and benches share the dev profile, so a dependency compiles once;
# and wherever clippy is installed it takes rustc's place for our own crate (only for ours: cargo's
# workspace wrapper). Clippy then costs no second compilation, `cargo clippy` would re-check all
# dependencies, and what `make run` starts is the very program that the tests ran. Measured: the code it
# makes is as fast as rustc's. Warnings are denied by scripts/lint, not by a flag; it says why.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# A shell that was open while rustup installed Rust does not have it on its PATH yet.
export PATH := $(CURDIR)/.venv/bin:$(PATH):$(HOME)/.cargo/bin
# .cargo/config.toml says where libtorch is, unless the user has one of their own. An empty LIBTORCH is none.
ifeq ($(LIBTORCH),)
unexport LIBTORCH
endif
# Asked for its version, because rustup leaves a stub where the component is not installed.
ifneq ($(shell PATH="$(PATH)" clippy-driver --version 2>/dev/null),)
export RUSTC_WORKSPACE_WRAPPER ?= clippy-driver
endif

.PHONY: run test setup lint bench coverage clean distclean env help

# Naming a test target makes cargo choose the dependencies' features as for the tests. A plain
# `cargo build` chooses fewer, and Arrow, Parquet and others would be compiled a second time.
run: setup ## build and start Walkforge (ARGS="train --preset mlp-return" for the command line)
	@cargo build --bin walkforge --test architecture
	@exec "$${CARGO_TARGET_DIR:-target}/debug/walkforge" $(ARGS)

test: setup ## formatting, lints and all tests, then a summary (ARGS="--lib market::" for some)
	@scripts/test $(ARGS)

setup: ## system packages and the Python venv; silent when all is there
	@scripts/setup

lint: setup ## formatting and lints only
	@cargo fmt -- --check -l
	@scripts/lint --tests --benches --examples

bench: ## criterion benches; the peers' packages go to .bench-venv
	@scripts/setup bench
	@cargo bench --profile dev --benches -- $(ARGS)

coverage: setup ## lines of training, devices and dataset that the tests reach (ARGS as for test)
	@scripts/coverage $(ARGS)

clean: ## remove what was built; .venv stays
	@cargo clean
	@rm -rf .bench-venv .bench-venv-mlflow

distclean: clean ## remove also the venv with PyTorch (a 5 GB download to get back)
	@rm -rf .venv

env: ## print what cargo needs outside make: eval "$$(make -s env)"
	@printf 'export %s=%q\n' PATH "$$PATH" $(if $(RUSTC_WORKSPACE_WRAPPER),RUSTC_WORKSPACE_WRAPPER $(RUSTC_WORKSPACE_WRAPPER))

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST)) | sed 's/\$$\$$/$$/g'
