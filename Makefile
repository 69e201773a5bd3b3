# Everything a user or a build machine calls. Needs python >= 3.11, git and make; no root, no Docker.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: install demo test parts lint fuzz simulate bench lock clean

install: $(VENV)/.runtime

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stanch needs python 3.11 or newer; set PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.runtime: $(VENV)/.created requirements/lab.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/lab.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.test: $(VENV)/.runtime requirements/test.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/test.txt
	touch $@

demo: install
	$(BIN)/stanch demo $(ARGS)

lint: $(VENV)/.test
	ruff format --check .
	ruff check .
	mypy
	lint-imports --no-cache

# Real programs that some tests work with: whoever may install packages gets them, and without them
# those tests say what they have left out.
PARTS := docker-registry skopeo umoci

parts:
	@missing=""; for part in $(PARTS); do command -v $$part > /dev/null || missing="$$missing $$part"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  { apt-get install -qq -y --no-install-recommends $$missing || \
	    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $$missing; }; \
	  } > $(VENV)/parts.log 2>&1 || echo "not installed:$$missing (see $(VENV)/parts.log)"; \
	fi

test: lint parts
	python -m pytest -n 2 --dist loadgroup $(ARGS)

# The claims of tests/properties with fifty times the inputs that `make test` tries.
fuzz: $(VENV)/.test
	STANCH_FUZZ=50 python -m pytest -n 2 --timeout=3600 tests/properties $(ARGS)

# Histories of the engine under everything that can happen to it: ARGS="--histories 10000".
simulate: $(VENV)/.test
	python -m tests.simulation $(ARGS)

bench: $(VENV)/.test
	python bench/run.py $(ARGS)

# Rewrites the pinned requirements from the .in files, one version of each for all sets.
lock:
	for name in build test lab runtime scan; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
	    $$(case $$name in lab|runtime|scan) echo --constraint requirements/test.txt;; esac) \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
