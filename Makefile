# Thin: each target calls the tools' own commands. `.setup/` installs what is missing, and can be run again at any time.
# Cargo is always given the whole workspace, so that each dependency is compiled once with one set of features.

.DEFAULT_GOAL := help
.PHONY: help demo native test lint bench bench-forecast screenshots speed dist setup clean

export PATH := $(CURDIR)/.venv/bin:$(PATH)

DEMO_ARGS ?=
BENCH_ARGS ?=
SUITES ?= rust python+node,ui,postgres,sources,docs
OF_SOURCES := binary(it) & test(/^sources::/)
LINTS ?= fmt clippy deny typos ruff types node

help: ## Shows this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: setup ## Builds, makes demo data in ./demo and serves it (DEMO_ARGS=…)
	cargo build --release --workspace --bin travelsense
	@exec "$$(.setup/folder)/release/travelsense" demo $(DEMO_ARGS)

native: setup ## Builds the Python and Node.js packages in place
	.setup/native
	npm run build --prefix node

test: setup ## Runs the tests, or some suites of them (SUITES="rust python")
	.setup/native
	@MAKE='$(MAKE)' .setup/suites test $(SUITES)

test-rust:
	cargo nextest run --workspace -E 'not ($(OF_SOURCES))'

test-postgres:
	cargo nextest run --workspace --lib -E 'test(metadata)'

# Events from a stream of NATS and from a PostgreSQL, each started by its test.
test-sources:
	cargo nextest run --workspace --test it -E '$(OF_SOURCES)'

# The server is killed 200 times under load. Asked for by name, and by `.ci/run`: `make test` kills it eight times.
test-kills:
	TRAVELSENSE_KILLS=200 cargo nextest run --workspace --test it -E 'test(kill_9)'

# Traces of requests, which only a program with the feature sends. Asked for by name: it compiles the server once more.
test-otel:
	cargo nextest run --workspace --features travelsense-server/otel --test it -E 'test(span_of_the_trace)'

test-docs:
	cargo test --workspace --doc

test-python:
	python -m pytest python tests/python --durations 12

test-node:
	npm test --prefix node

# The dashboard's own logic and types, and that what is built is what the sources make.
test-ui:
	npm run check --prefix bindings/server/ui
	npm test --prefix bindings/server/ui
	cd bindings/server/ui && npm run fresh

# The dashboard in a real browser, on the program with demo data. Asked for by name: it wants a machine of its own.
test-browser:
	cargo build --workspace --bin travelsense
	cd bindings/server/ui && TRAVELSENSE_PROGRAM="$$(../../../.setup/folder)/debug/travelsense" npm run flows

screenshots: setup ## Takes pictures of every page of the dashboard, light, dark, on a phone and on paper
	cargo build --workspace --bin travelsense
	cd bindings/server/ui && TRAVELSENSE_PROGRAM="$$(../../../.setup/folder)/debug/travelsense" TRAVELSENSE_FLOW_USERS=8000 npm run screenshots
	@echo bindings/server/ui/node_modules/.screenshots

speed: setup ## Holds the dashboard against its budgets of time, on 50,000 people and the program as it is released
	cargo build --release --workspace --bin travelsense
	cd bindings/server/ui && TRAVELSENSE_PROGRAM="$$(../../../.setup/folder)/release/travelsense" TRAVELSENSE_FLOW_USERS=50000 npm run speed

lint: setup ## Runs all checks that need no tests, or some of them (LINTS="fmt typos")
	@MAKE='$(MAKE)' .setup/suites lint $(LINTS)

lint-fmt:
	cargo fmt --all --check

lint-clippy:
	cargo clippy --workspace --all-targets --features travelsense-server/otel -- -D warnings

lint-deny:
	cargo deny check licenses bans sources

lint-typos:
	typos

lint-ruff:
	ruff check --config python/pyproject.toml python tests/python
	ruff format --check --config python/pyproject.toml python tests/python

# Type checkers on the package, its examples, and programs that are right and wrong. They read stubs: nothing need be built.
lint-types:
	python -m pytest --noconftest tests/python/check_types.py

lint-node:
	npm run lint --prefix node

bench: setup ## Compares with ClickHouse, DuckDB and Polars on 20 million events (BENCH_ARGS=…)
	.setup/python benches/requirements.lock
	cargo build --release --workspace --bin bench
	benches/run --write $(BENCH_ARGS)

bench-forecast: setup ## Compares forecasts with statsforecast, and the models of customers with what is published
	VENV=.venv-forecast .setup/python benches/forecast.lock
	cargo build --release --workspace --lib
	cp "$$(.setup/folder)/release/libtravelsense_python.so" python/travelsense/_native.abi3.so
	.venv-forecast/bin/python benches/forecast --write $(BENCH_ARGS)

dist: setup ## Builds and checks the wheel and the npm package, with DuckDB compiled in (about 25 minutes)
	.setup/wheel
	npm run dist --prefix node

setup: ## Installs what is missing here, and checks the rest
	@.setup/all

clean: ## Removes what was built and installed here; the demo data stays
	cargo clean
	rm -rf .duckdb .venv dist node/node_modules node/dist bindings/server/ui/node_modules
	find python node -name '*.so' -o -name '*.node' | xargs rm -f
