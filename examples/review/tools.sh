# Which programs this review can use here. What is missing is said, and no fault.
. examples/review/lib.sh
review tools "Tools"
used sh

present=0
for program in git grep sed awk sort cargo rustc; do
    has "$program" "some reviews see less" || continue
    present=$((present + 1))
    if version=$(LC_ALL=C "$program" --version 2>/dev/null </dev/null); then
        used "$program ($(printf '%s\n' "$version" | head -n 1 | tr -cd ' -~' | cut -c 1-60))"
    else
        used "$program"
    fi
done
for program in shellcheck cargo-audit cargo-deny cargo-llvm-cov gitleaks lychee; do
    has "$program" "it would see more" || continue
    present=$((present + 1))
    used "$program"
done
fact "programs found" "$present"
fact "programs missing" "$(wc -l <"$at/missing")"
not_reviewed "Anything that needs judgment: no model and no person took part in this review."
finish
