# `make run` and `make test` do everything from a fresh clone on a machine with Python 3.11 or newer.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: run test check judges browser debian bench simulate oldest lock clean guarantees fuzz clients

run: $(READY)
	$(BIN)/calfeed up

# The lock names everything, so nothing is resolved: a pip that resolves may want a newer release than the one pinned.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "calfeed needs Python 3.11 or newer: make PYTHON=python3.12 …"'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

# Everything that can be tested, the quick things first. What a test needs is installed here, or the run fails.
test: $(READY) check debian judges browser
	$(BIN)/pytest -n 2 --cov --cov-report=term
	$(BIN)/pytest -m "judges or browser" -n 2
	$(BIN)/pytest -m slow -n 3 --dist loadgroup

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pip check

# Chromium, libical, calcurse, two shells and fonts come from Debian; elsewhere install them by hand.
DEBIAN := chromium libical-dev calcurse libfaketime gcc zsh fish fonts-noto-core fonts-noto-cjk
debian:
	@if command -v apt-get >/dev/null && ! dpkg -s $(DEBIAN) >/dev/null 2>&1; then \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(DEBIAN); \
	fi

judges:
	$(MAKE) -C tests/judges

browser:
	npm ci --silent --no-audit --no-fund --prefix tests/browser

# Ratios against peers, measured side by side; nothing here can fail a build.
bench: $(READY)
	$(BIN)/python -m tests.benchmarks

# A day of a million pollers, scaled down, against the real server; then the arithmetic.
simulate: $(READY)
	$(BIN)/python -m tests.benchmarks.simulate

# The fast tests with the oldest versions that pyproject.toml allows; `uv` does the resolving.
oldest:
	uv venv --quiet --clear --python $(PYTHON) build/oldest
	uv pip install --quiet --python build/oldest/bin/python --resolution lowest-direct --editable '.[postgres,apprise]' --group test
	build/oldest/bin/python -m pytest -q -n 2

# Pins what is tested, with hashes; `uv` does the resolving.
lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --all-extras --group dev pyproject.toml -o requirements.lock

# Thunderbird and Evolution's data server, subscribed to a real server; some three minutes, outside `make test`.
CLIENTS := thunderbird evolution-data-server dbus-daemon
clients: $(READY)
	$(MAKE) --no-print-directory debian DEBIAN="$(CLIENTS)"
	$(BIN)/pytest -m clients

# What calfeed/help/guarantees.md promises, attacked: prints what was tried, lost and repeated.
guarantees: $(READY)
	$(BIN)/python tests/guarantees.py

# Each harness for a minute under atheris, in an environment of its own.
FUZZ := tests/fuzz/.venv
fuzz: $(READY)
	test -x $(FUZZ)/bin/python || $(PYTHON) -m venv $(FUZZ)
	$(FUZZ)/bin/pip install --quiet atheris --editable .
	for harness in source lint import query json; do \
	  $(FUZZ)/bin/python tests/fuzz/harnesses.py $$harness -max_total_time=60 -seed=8 || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist site tests/judges/.venv* tests/judges/node_modules tests/browser/node_modules tests/benchmarks/peers/.venv tests/benchmarks/peers/node_modules
