# History: what changed most of late, from the log.
. examples/review/lib.sh
review history "History"
used git; used awk

WINDOW=200
fact "commits" "$(git rev-list --count HEAD)"
[ "$(git rev-parse --is-shallow-repository)" = false ] || missing "the whole history" "the clone is shallow"

git log -n "$WINDOW" --no-merges --no-renames --numstat --format= |
    awk -F '\t' '$1 ~ /^[0-9]+$/ { changes[$3]++; lines[$3] += $1 + $2 }
        END { for (file in changes) printf "%d\t%d\t%s\n", lines[file], changes[file], file }' |
    sort -k1,1nr -k3 >"$at/churn"
fact "files changed in the last $WINDOW commits" "$(wc -l <"$at/churn")"

# What is changed often breaks often: worth a second look, no fault by itself.
while IFS="$(printf '\t')" read -r lines changes file; do
    [ -f "$file" ] && [ "$changes" -gt 1 ] && echo "$file:1:$lines lines in $changes commits"
done <"$at/churn" | grep -v '^Cargo\.lock:' | head -n 10 |
    found "changed most of late" git "git log -n $WINDOW --no-merges --numstat" || true

fact "commits that say fix" "$(git log -n "$WINDOW" --format=%s | grep -ciE '(^|[^a-z])fix' || true)"
fact "reverts" "$(git log -n "$WINDOW" --format=%s | grep -ciE '^revert' || true)"
not_reviewed "Why something was changed, and whether the reasons still hold."
finish
