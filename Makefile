# Two commands: `make demo` and `make test`. Both make their own virtual environment in .venv.

PYTHON ?= $(shell for v in 3.13 3.12 3.11; do command -v python$$v && break; done || command -v python3)
BIN := .venv/bin
SOURCES := $(shell git ls-files -co --exclude-standard '*.py' 2>/dev/null || find . -name '*.py' -not -path './.venv/*') pyproject.toml
PACKAGE := $(filter-out tests/% benchmarks/%,$(SOURCES))

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test test-all check lint types clean

demo: .venv/installed
	$(BIN)/recurra compare co2 --seeds 2 --export saved_models/co2

test: check
	$(BIN)/pytest

test-all: check
	$(BIN)/pytest -m "slow or not slow"

check: lint types

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

# Against the installed wheel: the checkout's folder may have any name, the package has one.
types: .venv/installed
	cd .venv && bin/mypy --config-file ../pyproject.toml -p recurra

.venv/dependencies: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "recurra needs Python 3.11, 3.12 or 3.13; %s is %d.%d. Name another one: make PYTHON=python3.12" % (sys.executable, *v))'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools
	@echo "installing TensorFlow and the rest into .venv (about 2 GB, some minutes) ..."
	$(BIN)/python -m pip install --quiet --progress-bar on '.[dev]'
	@touch $@

# The wheel anew whenever a source changed: tests and demo use what a user would install.
.venv/installed: .venv/dependencies $(PACKAGE)
	@rm -rf build
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall --no-build-isolation .
	@rm -rf build *.egg-info
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info
