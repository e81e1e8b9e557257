# Size: files and functions that are long enough to look for a split.
. examples/review/lib.sh
review size "Size"
used git; used awk

FILE_LINES_MAX=500
FUNCTION_LINES_MAX=70

rust_sources >"$at/sources"
fact "source files" "$(wc -l <"$at/sources")"
# Tests at the end of a file do not count.
while IFS= read -r file; do
    awk -v file="$file" -v most="$FILE_LINES_MAX" '
        /^#\[cfg\(test\)\]/ { exit }
        { lines = NR }
        END { print lines + 0 > "/dev/stderr"; if (lines > most) print file ":1:" lines " lines" }
    ' "$file" 2>>"$at/lengths"
done <"$at/sources" | found "has more than $FILE_LINES_MAX lines" awk "awk"
fact "lines in the longest file" "$(sort -n "$at/lengths" | tail -n 1)"

# A function ends at the closing brace that is indented as its first line.
while IFS= read -r file; do
    awk -v file="$file" -v most="$FUNCTION_LINES_MAX" '
        /^#\[cfg\(test\)\]/ { exit }
        start && $0 == indent "}" {
            if (NR - start + 1 > most) print file ":" start ":" NR - start + 1 " lines: " head
            start = 0
        }
        !start && /^ *(pub(\([a-z]+\))? )?(const )?(unsafe )?(extern "C" )?fn [a-z_]/ && !/[;}]$/ {
            match($0, /^ */); indent = substr($0, 1, RLENGTH); start = NR; head = substr($0, RLENGTH + 1)
        }
    ' "$file"
done <"$at/sources" | found "has more than $FUNCTION_LINES_MAX lines" awk "awk"

git ls-files -z | xargs -0 wc -c | awk '$2 != "total" && $1 > 1048576 { print $2 ":1:" $1 " bytes" }' | found "is larger than a mebibyte" wc "wc -c"
not_reviewed "Whether what is long should be split, and where."
finish
