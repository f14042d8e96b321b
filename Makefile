# `make demo` and `make test` are all a newcomer needs; both install what is missing first.
.PHONY: setup demo test bench lint

setup:
	@./scripts/setup.sh

demo: setup
	@VIDEO='$(VIDEO)' IMAGES='$(IMAGES)' ./scripts/demo.sh

test: setup
	@./scripts/test.sh

bench: setup
	@./scripts/bench.sh

lint:
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --no-default-features -- -D warnings
