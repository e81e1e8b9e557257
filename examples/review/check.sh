# A check: every place that a review cites exists, and its two documents agree.
#
# usage: sh examples/review/check.sh NAME
set -eu
name=$1
cited=$(sed -nE 's/^- `([^`]+):([0-9]+)`.*/\1 \2/p' "review/$name.md" | awk '
    function lines_of(file,   count, text) {
        count = 0
        while ((getline text < file) > 0) count++
        close(file)
        return count
    }
    {
        if (!($1 in lines)) lines[$1] = lines_of($1)
        if ($2 < 1 || $2 > (lines[$1] > 0 ? lines[$1] : 0)) { print $1 ":" $2 " does not exist" > "/dev/stderr"; bad = 1 }
    }
    END { print NR; exit bad }
')
counted=$(sed -nE 's/^  "findings_count": ([0-9]+),$/\1/p' "review/$name.json")
listed=$(grep -c '^    {"file": ' "review/$name.json" || true)
if [ "$counted" -ne "$listed" ]; then
    echo "review/$name.json counts $counted findings and lists $listed" >&2
    exit 1
fi
if [ "$cited" -gt "$counted" ]; then
    echo "review/$name.md cites $cited places and review/$name.json lists $counted" >&2
    exit 1
fi
