# Documentation: modules and public items without a comment, and links that lead nowhere.
. examples/review/lib.sh
review documentation "Documentation"
used git; used awk; used grep

rust_sources >"$at/sources"
fact "modules" "$(wc -l <"$at/sources")"
while IFS= read -r file; do
    head -n 20 "$file" | grep -q '^//!' || echo "$file:1:"
done <"$at/sources" | found "is a module without a comment" grep "grep '^//!'"

# A public item is documented if a comment stands above it, or above its attributes.
while IFS= read -r file; do
    awk -v file="$file" '
        /^#\[cfg\(test\)\]/ { exit }
        in_attribute { if (/\]$/) in_attribute = 0; next }
        /^[ \t]*#\[/ { if (!/\]$/) in_attribute = 1; next }
        /^[ \t]*(\/\/\/|\$\(#\[)/ { documented = 1; next }
        /^[ \t]*pub (const |unsafe |async )*(fn|struct|enum|trait|type|static|const) / && !documented { print file ":" NR ":" $0 }
        { documented = 0 }
    ' "$file"
done <"$at/sources" | found "is public and has no comment" awk "awk"
fact "public items" "$(xargs grep -hE '^ *pub (const |unsafe |async )*(fn|struct|enum|trait|type|static|const) ' <"$at/sources" | wc -l)"

git ls-files -- '*.md' >"$at/documents"
fact "documents" "$(wc -l <"$at/documents")"
while IFS= read -r file; do
    awk -v file="$file" '
        /^```/ { is_code = !is_code; next }
        is_code { next }
        {
            rest = $0
            gsub(/`[^`]*`/, "", rest)
            while (match(rest, /\]\([^)]*\)/)) {
                print file ":" NR ":" substr(rest, RSTART + 2, RLENGTH - 3)
                rest = substr(rest, RSTART + RLENGTH)
            }
        }
    ' "$file"
done <"$at/documents" >"$at/links"
fact "links in documents" "$(wc -l <"$at/links")"
while IFS=: read -r file line target; do
    case $target in
        *://* | mailto:* | '#'*) continue ;;
    esac
    [ -e "$(dirname "$file")/${target%%#*}" ] || echo "$file:$line:$target"
done <"$at/links" | found "links to a file that is not there" sh "test -e"
fact "pages about errors" "$(git ls-files -- 'docs/errors/*.md' | wc -l)"

has lychee "links to the web were not followed" || true
not_reviewed "Whether the documents are true, complete and understandable."
finish
