# Security: unsafe code, started programs, what looks like a secret, and unusual files.
. examples/review/lib.sh
review security "Security"
used git; used grep; used awk

code >"$at/code"
grep -E '^[^:]*:[0-9]+:.*(^|[^a-z_"])unsafe([ ({]|$)' "$at/code" >"$at/unsafe" || true
fact "places of unsafe code" "$(wc -l <"$at/unsafe")"

# A reason stands in a comment with SAFETY within the ten lines above.
while IFS=: read -r file line text; do
    from=$((line > 10 ? line - 10 : 1))
    sed -n "${from},${line}p" "$file" | grep -qE 'SAFETY|# Safety' || echo "$file:$line:$text"
done <"$at/unsafe" | found "is unsafe without a stated reason" grep "grep -w unsafe"

grep -E '^[^:]*:[0-9]+:.*(Command::new\(|posix_spawnp?\()' "$at/code" >"$at/spawns" || true
fact "places that start a program" "$(wc -l <"$at/spawns")"
found "starts a program" grep "grep 'Command::new'" <"$at/spawns"

# The text itself is not shown: a report is no place for a secret.
git grep -InE 'AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[baprs]-[A-Za-z0-9-]{20}|-----BEGIN [A-Z ]*PRIVATE KEY-----' |
    sed -E 's/^([^:]*:[0-9]+:).*/\1/' |
    found "looks like a secret" "git grep" "git grep -E" || true

git ls-files -s | awk -F '\t' '{ split($1, part, " "); print part[1] "\t" $2 }' >"$at/modes"
fact "files under version control" "$(wc -l <"$at/modes")"
awk -F '\t' '$1 == "120000" { print $2 ":1:" }' "$at/modes" | found "is a symbolic link" git "git ls-files -s"
awk -F '\t' '$1 == "160000" { print $2 ":1:" }' "$at/modes" | found "is a submodule" git "git ls-files -s"
awk -F '\t' '$1 == "100755" { print $2 }' "$at/modes" | while IFS= read -r file; do
    case $(head -c 2 "$file" | tr -d '\000') in
        '#!') ;;
        *) echo "$file:1:" ;;
    esac
done | found "is executable but no script" git "git ls-files -s"

if has cargo-audit "known vulnerabilities of dependencies were not looked up"; then
    missing "the network" "the database of vulnerabilities is not fetched"
fi
has gitleaks "secrets are searched by a few patterns only" || true

not_reviewed "Whether input from outside is validated wherever it enters."
not_reviewed "Whether each started program gets only what it should."
not_reviewed "Secrets in the history: only the files as they are were searched."
finish
