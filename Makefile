# make setup installs into .venv, and from the system's packages what pip cannot bring.
# TORCH=skip leaves torch alone: install the build you want into .venv yourself.
PYTHON ?= python3
TORCH ?= cpu
BIN := .venv/bin
# Threads that wait for each other cost more than they bring; the tests run in processes.
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test test-all bench bench-peers lint clean

# $(call apt,PACKAGES): install them, or say in one line what to do.
define apt
	sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; [ -t 0 ] || sudo='sudo -n'; fi; \
	if ! command -v apt-get >/dev/null || { [ "$$sudo" ] && ! command -v sudo >/dev/null; }; then \
		echo "error: please install$(1) with your system's package manager" >&2; exit 1; fi; \
	echo "Installing$(1) with apt-get"; \
	export DEBIAN_FRONTEND=noninteractive; \
	{ $$sudo apt-get install -qq -y $(1) >/dev/null 2>&1 || \
	  { $$sudo apt-get update -qq && $$sudo apt-get install -qq -y $(1) >/dev/null; }; } </dev/null || \
	{ echo "error: apt-get could not install$(1): please do it by hand" >&2; exit 1; }
endef

setup: .venv/ready

.venv/ready: pyproject.toml
	@need=; \
	command -v iverilog >/dev/null || need="$$need iverilog"; \
	command -v g++ >/dev/null || need="$$need g++"; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || need="$$need python3-venv"; \
	if [ "$$need" ]; then $(call apt,$$need); fi
	@[ -x $(BIN)/python ] || { echo "Creating .venv"; $(PYTHON) -m venv .venv; }
	@# The build of torch without CUDA: its local version exists only where CPU builds are kept,
	@# so plain PyPI, whose Linux wheels bring gigabytes of CUDA, can never satisfy it.
	@if [ "$(TORCH)" != skip ] && ! $(BIN)/python -c 'import torch' 2>/dev/null; then \
		echo "Installing torch for the CPU (make setup TORCH=skip: bring your own)"; \
		$(BIN)/pip install --quiet 'torch==2.13.0+cpu' 2>/dev/null || \
		$(BIN)/pip install --quiet torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu || \
		{ echo "error: no CPU build of torch: install one into .venv, then make setup" >&2; exit 1; }; fi
	@echo "Installing gatesmith and its dependencies"
	@if [ "$(TORCH)" = skip ]; then $(BIN)/pip install --quiet -e '.[fpga,dev]'; \
	else $(BIN)/pip install --quiet -e '.[train,fpga,dev]'; fi
	@touch $@

# Needed by tests only: Verilator, for a second opinion on the Verilog, and Sionna, on decoders.
# Sionna wants torch, which by now is there, whoever brought it.
.venv/ready-for-tests: .venv/ready
	@command -v verilator >/dev/null || { $(call apt, verilator); }
	@$(BIN)/pip install --quiet -e '.[test]'
	@touch $@

.venv/ready-for-bench: .venv/ready-for-tests
	@$(BIN)/pip install --quiet -e '.[bench]'
	@touch $@

demo: setup
	@$(BIN)/gatesmith demo sparse-mlp

test: setup .venv/ready-for-tests
	$(BIN)/pytest -q -n 2 --dist worksteal

test-all: setup .venv/ready-for-tests
	$(BIN)/pytest -q -n 2 --dist worksteal -m ""

# Named bench_*.py, so that no test run collects them.
bench: setup .venv/ready-for-bench
	$(BIN)/pytest -q -o python_files='bench_*.py' tests/benchmarks

# make bench-peers OPTIONS='--skip-large'; --help lists the options. The peers are programs that are
# run, in a virtual environment of their own: nothing of ours imports them.
bench-peers: setup build/peers/venv/ready
	@$(BIN)/python tests/benchmarks/peers/compare.py $(OPTIONS)

build/peers/venv/ready: pyproject.toml .venv/ready
	@echo "Installing the peers into build/peers/venv"
	@$(PYTHON) -m venv build/peers/venv
	@build/peers/venv/bin/pip install --quiet $$($(BIN)/python -c 'import tomllib; print(*tomllib.load( \
		open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["peers"])')
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks src/*.egg-info
	find . -name .venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
