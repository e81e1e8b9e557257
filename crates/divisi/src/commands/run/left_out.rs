//! The warning of uncommitted work that a run does not stand on.

use std::path::{Path, PathBuf};

use divisi_core::Diagnostic;

use crate::project::{CONFIG, Project};

/// So many paths are named; the rest is counted.
const NAMED_MAX: usize = 5;

/// What Divisi itself reads from the working tree, as it stands there.
const READ_HERE: [&str; 4] = [CONFIG, "workflows", "roles", "templates"];

/// The paths that the run was read from: those of the project that always are, and the plan.
pub(super) fn read_here(project: &Project, plan: &Path) -> Vec<PathBuf> {
    let mut read: Vec<PathBuf> = READ_HERE.iter().map(PathBuf::from).collect();
    let plan = std::path::absolute(plan).unwrap_or_else(|_| plan.to_owned());
    read.extend(plan.strip_prefix(project.folder()).map(Path::to_owned));
    // Everything lies beneath the project itself.
    read.retain(|path| !path.as_os_str().is_empty());
    read
}

/// Warns of uncommitted paths, `count` in all, that neither the run stands on nor Divisi has read.
pub(super) fn warning(
    stands_on: &str,
    uncommitted: &[String],
    count: usize,
    read_here: &[PathBuf],
) -> Option<Diagnostic> {
    let is_read = |path: &&String| {
        read_here
            .iter()
            .any(|read| Path::new(path).starts_with(read))
    };
    let read = uncommitted.iter().filter(is_read).count();
    let left: Vec<&str> = { uncommitted.iter() }
        .filter(|path| !is_read(path))
        .map(String::as_str)
        .collect();
    let named = &left[..left.len().min(NAMED_MAX)];
    let told = match (named, count - read - named.len()) {
        ([], 0) => return None,
        ([], more) => format!("{more} uncommitted paths"),
        (named, 0) => format!("uncommitted {}", named.join(", ")),
        (named, more) => format!("uncommitted {} and {more} more", named.join(", ")),
    };
    let cause = format!("the run stands on {stands_on}; not on {told}");
    let told = Diagnostic::warning("base-uncommitted", cause);
    Some(told.hint("`--include-dirty` takes them in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_from_the_working_tree_is_not_said_to_be_left_out() {
        let read: Vec<PathBuf> = ["divisi.yaml", "workflows", "iter/p1"]
            .iter()
            .map(PathBuf::from)
            .collect();
        let told = |paths: &[&str], count: usize| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            warning("main", &paths, count, &read).map(|told| told.cause)
        };
        let of_divisi = ["divisi.yaml", "iter/p1/CONTEXT.md", "workflows/pages.yaml"];
        assert_eq!(told(&of_divisi, 3), None);
        assert_eq!(
            told(&of_divisi, 5).as_deref(),
            Some("the run stands on main; not on 2 uncommitted paths")
        );
        assert_eq!(
            told(&["divisi.yaml", "workflows.md", "x"], 3).as_deref(),
            Some("the run stands on main; not on uncommitted workflows.md, x")
        );
        assert_eq!(
            told(&["a", "b", "c", "d", "divisi.yaml", "e", "f"], 7).as_deref(),
            Some("the run stands on main; not on uncommitted a, b, c, d, e and 1 more")
        );
    }
}
