# What the reviews share: findings and facts are collected line by line, and written at the end as
# one Markdown document for people and one JSON document for programs.
#
# A review is `. examples/review/lib.sh`, `review NAME TITLE`, any number of `fact`, `found`,
# `used`, `missing` and `not_reviewed`, and `finish`. It is POSIX shell, runs in the root of a
# checkout, needs git, grep, sed and awk, and writes nothing but `review/NAME.md`,
# `review/NAME.json` and files in its own temporary folder.

# At most so many places of one kind are shown; all of them are counted.
SHOWN_MAX=25

review() {
    name=$1
    title=$2
    at=${TMPDIR:?}/$name
    mkdir -p review "$at"
    : >"$at/facts"
    : >"$at/findings"
    : >"$at/tools"
    : >"$at/missing"
    : >"$at/not_reviewed"
}

# fact WORDS NUMBER
fact() {
    printf '%s\t%d\n' "$1" "$2" >>"$at/facts"
}

# found WHAT TOOL COMMAND: takes `file:line:text` from standard input, a finding each.
found() {
    awk -v what="$1" -v tool="$2" -v call="$3" '
        {
            path = $0; sub(/:.*/, "", path)
            rest = substr($0, length(path) + 2)
            line = rest; sub(/:.*/, "", line)
            text = substr(rest, length(line) + 2)
            gsub(/[^ -~]/, " ", text); gsub(/`/, "\047", text); gsub(/  +/, " ", text)
            sub(/^ +/, "", text); text = substr(text, 1, 100); sub(/ +$/, "", text)
            printf "%s\t%d\t%s\t%s\t%s\t%s\n", path, line, what, tool, call, text
        }
    ' >>"$at/findings"
}

# used TOOL: says that it took part.
used() {
    printf '%s\n' "$1" >>"$at/tools"
}

# has PROGRAM WHY: whether it is installed; if not, the report says what was missed.
has() {
    command -v "$1" >/dev/null 2>&1 && return 0
    missing "$1" "$2"
    return 1
}

# missing PROGRAM WHY
missing() {
    printf '%s\t%s\n' "$1" "$2" >>"$at/missing"
}

# not_reviewed WORDS: what no program here can judge.
not_reviewed() {
    printf '%s\n' "$1" >>"$at/not_reviewed"
}

# All Rust files.
rust_files() {
    git ls-files -- '*.rs'
}

# Rust files that are neither tests, benchmarks nor examples.
rust_sources() {
    rust_files | grep -vE '(^|/)(tests|benches|examples)/|(^|/)([a-z_]+_)?tests\.rs$' || true
}

# Code lines as `file:line:text`: without comments, and without modules under `#[cfg(test)]`,
# which end at the first line that is only a closing brace.
code() {
    rust_sources | while IFS= read -r file; do
        awk -v file="$file" '
            /^#\[cfg\(test\)\]/ { pending = 1; next }
            pending && /^(pub(\([a-z]+\))? )?mod .*\{/ { is_test = 1; pending = 0 }
            pending && !/^#\[/ { pending = 0 }
            is_test { if ($0 == "}") is_test = 0; next }
            /^[ \t]*\/\// { next }
            { print file ":" NR ":" $0 }
        ' "$file"
    done
}

finish() {
    sort -s -t "$(printf '\t')" -k3,3 "$at/findings" >"$at/all"
    document >"review/$name.md"
    data >"review/$name.json"
    total=$(wc -l <"$at/all")
    printf '%s: %d findings\n' "$title" "$total"
}

document() {
    printf '# %s\n\n## Facts\n\n| fact | number |\n|---|---:|\n' "$title"
    awk -F '\t' '{ printf "| %s | %d |\n", $1, $2 }' "$at/facts"
    printf '\n## Findings\n\n'
    awk -F '\t' -v most="$SHOWN_MAX" '
        !($3 in count) { kinds[++n] = $3; how[$3] = $5 }
        {
            count[$3]++
            if (count[$3] <= most)
                text[$3] = text[$3] "- `" $1 ":" $2 "`" ($6 == "" ? "" : " — `" $6 "`") "\n"
        }
        END {
            if (n == 0) print "None."
            for (i = 1; i <= n; i++) {
                kind = kinds[i]
                printf "%s**%s** (%d, by `%s`)\n\n%s", (i > 1 ? "\n" : ""), kind, count[kind], how[kind], text[kind]
                if (count[kind] > most) printf "- and %d more\n", count[kind] - most
            }
        }
    ' "$at/all"
    printf '\n## Tools\n\n'
    sort -u "$at/tools" | awk '{ printf "- %s took part.\n", $0 }'
    sort -u "$at/missing" | awk -F '\t' '{ printf "- %s is not installed or cannot be used here: %s.\n", $1, $2 }'
    printf '\n## Not reviewed\n\n'
    awk '{ printf "- %s\n", $0 }' "$at/not_reviewed"
}

data() {
    awk -F '\t' -v title="$title" '
        function text(s) { gsub(/[\\"]/, "\\\\&", s); return "\"" s "\"" }
        FILENAME ~ /\/facts$/ { facts = facts (nf++ ? "," : "") "\n    " text($1) ": " $2 }
        FILENAME ~ /\/tools$/ && !seen[$1]++ { tools = tools (nt++ ? ", " : "") text($1) }
        FILENAME ~ /\/missing$/ { gone = gone (nm++ ? ", " : "") text($1) }
        FILENAME ~ /\/not_reviewed$/ { open = open (no++ ? "," : "") "\n    " text($1) }
        FILENAME ~ /\/all$/ {
            places = places (np++ ? "," : "") "\n    {\"file\": " text($1) ", \"line\": " $2 \
                ", \"what\": " text($3) ", \"tool\": " text($4) ", \"command\": " text($5) "}"
        }
        END {
            printf "{\n  \"title\": %s,\n  \"findings_count\": %d,\n  \"facts\": {%s\n  },\n", text(title), np, facts
            printf "  \"tools\": [%s],\n  \"missing\": [%s],\n", tools, gone
            printf "  \"not_reviewed\": [%s\n  ],\n  \"findings\": [%s\n  ]\n}\n", open, places
        }
    ' "$at/facts" "$at/tools" "$at/missing" "$at/not_reviewed" "$at/all"
}
