# Two commands: `make demo` and `make test`. Both make their own virtual environment in .venv.

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
# The first one that runs: a version manager leaves commands behind that do not.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(FITS)' 2>/dev/null && command -v $$p && break; done)
BIN := .venv/bin
SOURCES := $(shell git ls-files -co --exclude-standard '*.py' 2>/dev/null || find . -name '*.py' -not -path './.venv/*') pyproject.toml
PACKAGE := $(filter-out tests/% benchmarks/%,$(SOURCES))

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test test-all check lint types clean

demo: .venv/installed
	$(BIN)/recurra compare co2 --jobs 2 --export saved_models/co2 --report runs/co2/report.html

# Two workers, a file of tests at a time: its fixtures are made once.
WORKERS ?= 2

test: check
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

test-all: check
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "slow or not slow"

check: lint types

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

# Against the installed wheel: the checkout's folder may have any name, the package has one.
types: .venv/installed
	cd .venv && bin/mypy --config-file ../pyproject.toml -p recurra

# A virtual environment knows its own path: one that was moved with its checkout is made anew.
$(shell test "$$(cat .venv/dependencies 2>/dev/null)" = "$(CURDIR)" || rm -f .venv/dependencies)

.venv/dependencies: pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || \
		{ echo "recurra needs Python 3.11, 3.12 or 3.13, found: $(or $(PYTHON),none); name one: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools
	@echo "installing TensorFlow and the rest into .venv (about 2 GB, some minutes) ..."
	$(BIN)/python -m pip install --quiet --progress-bar on '.[dev]'
	@echo "$(CURDIR)" > $@

# The wheel anew whenever a source changed: tests and demo use what a user would install.
.venv/installed: .venv/dependencies $(PACKAGE)
	@rm -rf build
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall --no-build-isolation .
	@rm -rf build *.egg-info
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info
