//! Finds the known name that was probably meant, by edit distance.

/// A name at this distance is still taken as meant; more is chance.
const DISTANCE_MAX: usize = 3;

/// Names longer than this get no suggestion: the comparison's cost grows with their square.
const NAME_CHARS_MAX: usize = 100;

/// How many names all suggestions for one file may be compared with, together. A file with a
/// hundred thousand tasks and a hundred misspelt ids would otherwise cost ten million comparisons.
const COMPARISONS_MAX: u32 = 300_000;

/// Suggests names within a budget of comparisons.
pub(crate) struct Nearest {
    comparisons_left: u32,
}

impl Nearest {
    pub(crate) fn new() -> Nearest {
        Nearest {
            comparisons_left: COMPARISONS_MAX,
        }
    }

    /// The candidate nearest to `name`, if one is near enough; the first of equals.
    pub(crate) fn find<'c>(
        &mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        let wanted: Vec<char> = name.chars().take(NAME_CHARS_MAX + 1).collect();
        if wanted.len() > NAME_CHARS_MAX {
            return None;
        }
        let mut bound = DISTANCE_MAX.min((wanted.len() + 1) / 3);
        let mut best = None;
        for candidate in candidates {
            if self.comparisons_left == 0 || bound == 0 {
                break;
            }
            self.comparisons_left -= 1;
            if candidate.len().abs_diff(name.len()) > bound * 4 {
                continue;
            }
            if let Some(distance) = distance_within(&wanted, candidate, bound) {
                best = Some(candidate);
                bound = distance.saturating_sub(1);
            }
        }
        best
    }
}

/// The candidate nearest to `name`, if one is near enough to have been meant.
#[must_use]
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    Nearest::new().find(name, candidates)
}

/// The number of insertions, deletions, replacements and swaps of neighbors that turn one name
/// into the other, letters' case aside; `None` if more than `bound`.
fn distance_within(wanted: &[char], candidate: &str, bound: usize) -> Option<usize> {
    let wanted: Vec<char> = wanted.iter().map(char::to_ascii_lowercase).collect();
    let candidate: Vec<char> = candidate
        .chars()
        .take(NAME_CHARS_MAX + 1)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if wanted.len().abs_diff(candidate.len()) > bound {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=candidate.len()).collect();
    for i in 1..=wanted.len() {
        let mut next = vec![usize::MAX / 2; candidate.len() + 1];
        next[0] = i;
        let from = i.saturating_sub(bound).max(1);
        let to = (i + bound).min(candidate.len());
        for j in from..=to {
            let same = usize::from(wanted[i - 1] != candidate[j - 1]);
            next[j] = (row[j] + 1).min(next[j - 1] + 1).min(row[j - 1] + same);
            let swapped = i > 1
                && j > 1
                && wanted[i - 1] == candidate[j - 2]
                && wanted[i - 2] == candidate[j - 1];
            if swapped {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = row;
        row = next;
    }
    row.last().copied().filter(|&distance| distance <= bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_chance_is_not() {
        let keys = ["dependencies", "deliverables", "description", "title", "in"];
        let find = |name| Nearest::new().find(name, keys);
        assert_eq!(find("dependancies"), Some("dependencies"));
        assert_eq!(find("depnedencies"), Some("dependencies"));
        assert_eq!(find("Title"), Some("title"));
        assert_eq!(find("ni"), Some("in"));
        assert_eq!(find("tilte"), Some("title"));
        assert_eq!(find("nothing_like_it"), None);
        assert_eq!(find(""), None);
        assert_eq!(find(&"x".repeat(1_000_000)), None);
    }

    #[test]
    fn the_budget_bounds_all_searches_together() {
        let mut nearest = Nearest {
            comparisons_left: 3,
        };
        assert_eq!(nearest.find("abd", ["xyz", "abc"]), Some("abc"));
        assert_eq!(nearest.find("abd", ["xyz", "abc"]), None);
    }
}
