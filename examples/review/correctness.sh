# Correctness: places that end the process instead of returning an error, and unfinished code.
. examples/review/lib.sh
review correctness "Correctness"
used git; used grep; used awk

code >"$at/code"
fact "lines of Rust outside tests" "$(wc -l <"$at/code")"

# kind WORDS EXPRESSION
kind() {
    grep -E "^[^:]*:[0-9]+:.*$2" "$at/code" | found "$1" grep "grep -E '$2'" || true
}
kind "panics if there is no value" '\.unwrap\(\)'
kind "panics" '(^|[^a-z_])panic!\('
kind "panics if it is reached" 'unreachable!\('
kind "is not finished" '(^|[^a-z_"])(todo|unimplemented)!\('
kind "is a leftover of debugging" '(^|[^a-z_"])dbg!\('
kind "ends the process without cleaning up" 'process::(exit|abort)\('

fact "invariants stated with expect" "$(grep -cE '\.expect\(' "$at/code" || true)"
fact "marks of open work in comments" "$(git grep -nwE 'FIXME|TODO|XXX' -- '*.rs' | wc -l)"

git ls-files -- '*.sh' .ci/run >"$at/scripts"
fact "shell scripts" "$(wc -l <"$at/scripts")"
while IFS= read -r script; do
    case $(head -n 1 "$script") in
        *bash*) shell=bash ;;
        *) shell=sh ;;
    esac
    has "$shell" "scripts are not parsed" || continue
    used "$shell"
    "$shell" -n "$script" 2>/dev/null || echo "$script:1:" | found "does not parse" "$shell" "$shell -n"
done <"$at/scripts"
if has shellcheck "shell scripts are only parsed"; then
    used shellcheck
    xargs shellcheck -f gcc -s sh <"$at/scripts" 2>/dev/null |
        sed -E 's/^([^:]*:[0-9]+):[0-9]+: /\1:/' |
        found "is doubtful shell" shellcheck "shellcheck -s sh" || true
fi

not_reviewed "Whether the code does what it is meant to do."
not_reviewed "Arithmetic that overflows, indexes out of bounds, races."
not_reviewed "Whether each stated invariant holds."
finish
