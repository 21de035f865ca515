# The two commands of the README, and what CI runs. All of them make $(VENV) themselves when it is missing or out of date.
PYTHON ?= python3
VENV ?= .venv
OUTPUT ?= runs/demo
PIP_FLAGS ?=
PYTEST_FLAGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test nightly quick check docs install clean

run: $(STAMP)  ## the whole chain on a synthetic corpus, into runs/demo
	$(BIN)/elmo demo --output $(OUTPUT) --overwrite
	@echo "The command is $(BIN)/elmo; \`source $(BIN)/activate\` puts elmo on the path of this shell."

test: $(STAMP)  ## all tests but the nightly ones
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not nightly" $(PYTEST_FLAGS)

nightly: $(STAMP)  ## the tests that take minutes each: clusters whose drivers and nodes are killed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m nightly $(PYTEST_FLAGS)

quick: $(STAMP)  ## the tests that are not marked slow
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not slow" $(PYTEST_FLAGS)

check: $(STAMP)  ## style, types, import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src scripts recipes benchmarks tests
	$(BIN)/lint-imports

docs: $(STAMP)  ## the documentation as a site, into build/site, offline; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	$(BIN)/python scripts/check_site.py build/site

install: $(STAMP)

# Compiling all of torch ahead takes longer than the rest: Python compiles what it imports.
# Plain `pip install torch` may choose a build or a release nobody tested here: constraints.txt names every version.
$(STAMP): pyproject.toml constraints.txt hatch_build.py $(wildcard src/elmokit/nn/native/*.[ch])
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: '$(PYTHON)' was not found; elmokit needs Python 3.11 or newer (another name: make PYTHON=python3.12 …)" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: '$(PYTHON)' is $$($(PYTHON) --version 2>&1); elmokit needs Python 3.11 or newer (another name: make PYTHON=python3.12 …)" >&2; exit 2; }
	@echo "Installing elmokit and about 170 packages it uses (PyTorch, transformers, the tools of its tests) into $(VENV):"
	@echo "2.4 GB on disk with PyTorch for processors (far more with the one for NVIDIA cards, see README.md); a few minutes, mostly of downloading."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python scripts/install.py --no-compile $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@

clean:  ## what `make run` and the checks wrote (the environment stays; `rm -r .venv` removes that)
	rm -rf runs/demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
