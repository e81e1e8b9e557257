//! Paths from outside: proven to stay beneath their root before anything is resolved.
//!
//! This is text only. Whoever opens a path must still walk it component by component without
//! following links; a path that passes here can lead through one.

/// Longer paths are refused; it is Linux's own limit.
pub const PATH_BYTES_MAX: usize = 4_096;

/// Why a path is not one beneath a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// It names no file: empty, or `.`.
    Empty,
    /// It starts at the file system's root.
    Absolute,
    /// It has `..`.
    Upward,
    /// It holds a NUL.
    Nul,
    /// It is longer than [`PATH_BYTES_MAX`].
    TooLong,
    /// It leads into a `.git`, which belongs to no tree.
    Git,
}

impl std::fmt::Display for PathFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PathFault::Empty => write!(f, "names no file"),
            PathFault::Absolute => write!(f, "is absolute"),
            PathFault::Upward => write!(f, "leads outside the tree"),
            PathFault::Nul => write!(f, "holds a NUL"),
            PathFault::TooLong => write!(f, "is longer than {PATH_BYTES_MAX} bytes"),
            PathFault::Git => write!(f, "leads into a .git folder"),
        }
    }
}

/// The components of a path that stays beneath its root whatever the root is. `./` and doubled
/// separators are forgiven.
///
/// # Errors
/// What about the path leads elsewhere.
pub fn beneath(path: &str) -> Result<Vec<&str>, PathFault> {
    if path.len() > PATH_BYTES_MAX {
        return Err(PathFault::TooLong);
    }
    if path.contains('\0') {
        return Err(PathFault::Nul);
    }
    if path.starts_with('/') {
        return Err(PathFault::Absolute);
    }
    let components: Vec<&str> = path
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    if components.contains(&"..") {
        return Err(PathFault::Upward);
    }
    if components.iter().any(|c| c.eq_ignore_ascii_case(".git")) {
        return Err(PathFault::Git);
    }
    if components.is_empty() {
        return Err(PathFault::Empty);
    }
    Ok(components)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_paths_are_refused_by_name() {
        assert_eq!(beneath(""), Err(PathFault::Empty));
        assert_eq!(beneath("./"), Err(PathFault::Empty));
        assert_eq!(beneath("/etc/passwd"), Err(PathFault::Absolute));
        assert_eq!(beneath("../../x"), Err(PathFault::Upward));
        assert_eq!(beneath("a/../../x"), Err(PathFault::Upward));
        assert_eq!(beneath("a\0b"), Err(PathFault::Nul));
        assert_eq!(beneath(&"a/".repeat(3000)), Err(PathFault::TooLong));
        assert_eq!(beneath("a/.GIT/config"), Err(PathFault::Git));
        assert_eq!(beneath("./a//b..c"), Ok(vec!["a", "b..c"]));
    }
}
