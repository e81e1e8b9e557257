# Tests: how many there are in each crate, and which do not run or wait for the clock.
. examples/review/lib.sh
review tests "Tests"
used git; used grep; used awk

git ls-files -- '*Cargo.toml' | while IFS= read -r manifest; do
    grep -q '^\[package\]' "$manifest" && dirname "$manifest"
done >"$at/crates" || true
fact "crates" "$(wc -l <"$at/crates")"

while IFS= read -r crate; do
    count=$(git grep -nE '^[ \t]*#\[(test|[a-z_]+::test)\]' -- "$crate/*.rs" | wc -l)
    fact "tests in $crate" "$count"
    [ "$count" -gt 0 ] || echo "$crate/Cargo.toml:1:" | found "is a crate without a test" "git grep" "git grep '#\[test\]'"
done <"$at/crates"

git grep -nE '^[ \t]*#\[ignore' -- '*.rs' | found "is a test that does not run" "git grep" "git grep '#\[ignore'" || true
git grep -nE 'thread::sleep\(' -- '*/tests/*.rs' '*tests.rs' | found "is a test that sleeps" "git grep" "git grep thread::sleep" || true
fact "assertions" "$(git grep -hE '(^|[^a-z_])(assert|assert_eq|assert_ne)!\(' -- '*.rs' | wc -l)"

if has cargo-llvm-cov "coverage was not measured"; then
    missing "time" "coverage is not measured by a review of seconds"
fi
not_reviewed "Whether the tests pass: a review does not build."
not_reviewed "Whether they test what matters, and would fail if it broke."
finish
