# Dependencies: how many, which of them twice, and which from unusual places.
. examples/review/lib.sh
review dependencies "Dependencies"
used git; used awk

if [ -f Cargo.lock ]; then
    awk '/^name = / { gsub(/"/, "", $3); name = $3; at = NR }
         /^version = / && name != "" { gsub(/"/, "", $3); print name "\t" $3 "\t" at; name = "" }' Cargo.lock >"$at/packages"
    fact "packages in Cargo.lock" "$(wc -l <"$at/packages")"
    fact "packages from a registry" "$(grep -c '^source = "registry' Cargo.lock || true)"
    awk -F '\t' '{ count[$1]++; all[$1] = all[$1] " " $2; at[$1] = $3 }
        END { for (name in count) if (count[name] > 1) print "Cargo.lock:" at[name] ":" name all[name] }' "$at/packages" |
        sort | found "stands there in several versions" awk "awk … Cargo.lock"
    grep -nE '^source = "git' Cargo.lock | sed 's/^/Cargo.lock:/' | found "comes from a repository, not a registry" grep "grep '^source'" || true
else
    missing "Cargo.lock" "versions are not pinned, so nothing could be counted"
fi
git grep -nE '=[ ]*"\*"|version *= *"\*"' -- '*Cargo.toml' | found "permits any version" "git grep" "git grep '\"\*\"'" || true

if has cargo "the workspace was not read by cargo"; then
    if cargo metadata --offline --no-deps --format-version 1 >"$at/metadata" 2>"$at/fault"; then
        used "cargo metadata"
        fact "targets that cargo knows" "$(grep -oE '"crate_types":' "$at/metadata" | wc -l)"
    else
        missing "cargo metadata" "$(head -n 1 "$at/fault" | tr -cd ' -~' | tr -d '"\\')"
    fi
    if cargo tree --offline --depth 1 --prefix none --workspace -e normal >"$at/tree" 2>"$at/fault"; then
        used "cargo tree"
        fact "direct dependencies" "$(grep -v '(/' "$at/tree" | sed 's/ .*//' | grep . | sort -u | wc -l)"
    else
        missing "cargo tree" "the packages are not downloaded, and a review uses no network"
    fi
fi
has cargo-deny "licenses were not compared with a list" || true

not_reviewed "Whether the dependencies are trustworthy, maintained and needed."
finish
