# make app        serve the dashboard on http://127.0.0.1:8501 (PORT=... for another)
# make test       run the tests
# make soak       the long fuzz, fault and load runs
# make benchmark  tables and timings
# make lint       check the style
# The first of them makes .venv and installs requirements.txt; later ones only when that file has changed.

PORT ?= 8501
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/requirements.installed

.PHONY: app test soak benchmark lint install

app: install
	exec $(RUN) -m streamlit run streamlit_app.py \
		--server.address 127.0.0.1 --server.port $(PORT) --server.headless true --browser.gatherUsageStats false

# Two at a time, each on one thread: networks on several threads would wait for each other.
test: install
	OMP_NUM_THREADS=1 $(RUN) -m pytest -q -n 2 --dist loadfile

soak: install
	$(RUN) -m pytest -q -m soak --timeout 3600

# What needs no training, on every scan in data/ (the samples, and what was added): nothing was learned from them.
METHODS := weights:research weights:open typical threshold otsu adaptive growing sobel prewitt canny snake geodesic \
	chan_vese crf verdict:size verdict:logistic_texture verdict:logistic_deep

benchmark: install
	$(RUN) -m nerve_core bench
	$(RUN) -m nerve_core benchmark run --data data --splits all --classical checkpoints/classical \
		--methods $(METHODS) --store runs/samples.sqlite
	$(RUN) -m nerve_core benchmark tables --store runs/samples.sqlite
	$(RUN) -m benchmarks.readme_tables

lint: install
	$(RUN) -m ruff check .

# The list that was installed is kept in the environment: a changed list, or a broken first try, installs again.
install:
	@cmp -s requirements.txt $(INSTALLED) || { \
		command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or later." >&2; exit 1; }; \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
			echo "Python 3.11 or later is needed, and $(PYTHON) is" \
				"$$($(PYTHON) -c 'import platform; print(platform.python_version())');" \
				"run make PYTHON=python3.11 (or later)." >&2; exit 1; }; \
		echo "Installing into $(VENV) (some minutes and about 7 GB the first time) ..." >&2; \
		$(PYTHON) -m venv $(VENV) && \
		$(RUN) -m pip install --disable-pip-version-check --quiet -r requirements.txt && \
		cp requirements.txt $(INSTALLED); }
