# All recipes are one line; `just` lists them.

# every recipe
default:
    @just --list

# reproduce the report
reproduce *arguments:
    cargo run --release -- reproduce {{arguments}}

# what the report recommends, put to the test; then a section of the page
recommended *arguments:
    cargo run --release -- sweep recommended/tuning {{arguments}}
    cargo run --release -- ablate recommended/segments {{arguments}}
    cargo run --release -- ablate recommended/segments-by-track {{arguments}}
    cargo run --release -- ablate recommended/augmentation {{arguments}}
    cargo run --release -- curve recommended/more-data {{arguments}}
    cargo run --release -- report

# all tests
test *arguments:
    cargo test --release {{arguments}}

# all tests, those too that need a Chromium, real data (ENCORE_TEST_DATA) and every crate
test-all:
    cargo fetch --locked && cargo test --release -- --include-ignored

# check every spec and manifest
check:
    cargo run --release -- check

# formatting and lints, as in CI
lint:
    cargo fmt --check && cargo clippy --release --all-targets -- -D warnings

# everything that CI runs
ci:
    bash .ci/run
