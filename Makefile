# `make demo` brings the whole platform up and grades a sample class; `make test` runs the checks (the longest: `make slow`).
# Both set up what they need, and may be run again.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell command -v python3.11 || command -v python3)
STAMP := $(VENV)/.installed
PYTEST := $(PY) -m pytest
DURATIONS ?= 15
WORKERS ?= $(shell nproc)

.PHONY: demo demo-grade test unit slow lint setup images hub-image gpu-image engine proxy browser validate verdicts ladder bench storm nodes clean

demo: setup  ## JupyterHub, service and grader on the loopback, a course, a sample class; stays up in a terminal
	$(VENV)/bin/autograder hub demo

demo-grade: engine images  ## grade the sample class in the terminal alone
	$(VENV)/bin/autograder demo

test: setup browser lint  ## everything that a machine without a GPU can show
	@echo "[test] what times nothing, $(WORKERS) at once"; lost=0; \
	$(PYTEST) -q -rs -m "not slow and beside" -n $(WORKERS) --durations=$(DURATIONS) || lost=1; \
	echo "[test] what times programs, alone on the machine"; \
	$(PYTEST) -q -rs -m "not slow and not beside" --durations=$(DURATIONS) && exit $$lost
	@echo "left out: tests marked slow (make slow), and whatever the summary above names as skipped, with its reason"

unit: $(STAMP)  ## the tests that need no engine; seconds
	$(PYTEST) -q -m "not docker and not hub and not browser and not mpi and not gpu and not slow"

slow: setup  ## the long campaigns: two hundred gradings, every promise of every assignment
	$(PYTEST) -q -m slow

lint: $(STAMP)
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check autograder hub images tests
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo 2>/dev/null || $(VENV)/bin/lint-imports

validate: setup  ## prove that every assignment keeps its promises
	$(VENV)/bin/autograder course validate

verdicts: setup  ## measured error rates of the decision rule on this machine
	$(VENV)/bin/autograder verify-verdicts --quiet
	$(VENV)/bin/autograder verify-verdicts --noisy --no-truth

ladder: setup  ## every rung from baseline to kernel against this machine's limits, into reference/README.md
	$(VENV)/bin/autograder course ladder --output reference/README.md

bench: setup  ## throughput against `nbgrader autograde`, and the overhead of a grading
	$(PY) tests/bench/throughput.py

storm: setup  ## deadline night: 300 students within a minute, on both databases
	$(PY) tests/bench/storm.py
	$(PY) tests/bench/storm.py --database postgresql

nodes: setup  ## ten thousand submissions on a hundred simulated slots, a third of the nodes lost midway
	$(PY) tests/bench/nodes.py

setup: $(STAMP) engine images proxy

engine: $(STAMP)
	@$(PY) images/engine.py

images: $(STAMP) engine  ## of graders and students; FORCE=1 builds them again, with today's packages of Debian
	@$(PY) images/build.py $(if $(FORCE),--force) grader student

hub-image: setup  ## the image of hub and service for production; the demo and the tests run them from .venv
	@$(PY) images/build.py $(if $(FORCE),--force) hub

gpu-image: setup  ## the image of guests that have a GPU: some gigabytes, from PyPI
	@$(PY) images/build.py $(if $(FORCE),--force) gpu

proxy: $(STAMP)
	@$(PY) -m hub.proxy

browser: $(STAMP)  # for the tests of pages; without it they are skipped, and say so
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && echo "[setup] chromium for the tests of pages" && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	  || echo "[setup] no chromium: the tests of pages will be skipped (sudo apt-get install chromium)"

$(STAMP): pyproject.toml images/locks/host.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv, or set PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq python3-venv; } \
	  || { echo "the venv module is missing: sudo apt-get install python3-venv"; exit 1; }
	@echo "[setup] Python packages into $(VENV) (about a minute the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q --disable-pip-version-check -r images/locks/host.txt 2> >(grep -v 'WARNING: Location' >&2)
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps -e . 2> >(grep -v 'WARNING: Location' >&2)
	@touch $@

clean:  ## reports and caches; images and .venv stay
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
