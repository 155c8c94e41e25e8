# All recipes are one line; `just` lists them.

# every recipe
default:
    @just --list

# reproduce the report
reproduce *arguments:
    cargo run --release -- reproduce {{arguments}}

# all tests
test *arguments:
    cargo test --release {{arguments}}

# check every spec and manifest
check:
    cargo run --release -- check

# formatting and lints, as in CI
lint:
    cargo fmt --check && cargo clippy --release --all-targets -- -D warnings

# everything that CI runs
ci:
    bash .ci/run
