//! Which paths and patterns of a plan are taken: relative, plain, beneath the tree's root.
//!
//! Nothing here looks at a file system; whoever opens a path resolves it again beneath its root
//! without following links. This is the first of two walls, the one with line and column.

use globset::GlobBuilder;

use crate::render::is_unprintable;

/// The longest path taken, in bytes, as kernels have it.
const PATH_BYTES_MAX: usize = 4096;

/// The longest component of a path, in bytes, as file systems have it.
const COMPONENT_BYTES_MAX: usize = 255;

/// The longest pattern or regular expression taken, in bytes; compiling costs many times this.
pub(crate) const PATTERN_BYTES_MAX: usize = 4096;

/// Why a path is not taken, as a fragment after its name; `None` if it is.
pub(crate) fn fault(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("is empty".to_owned());
    }
    if path.len() > PATH_BYTES_MAX {
        return Some(format!("is longer than {PATH_BYTES_MAX} bytes"));
    }
    if path.starts_with('/') {
        return Some("is absolute; paths are relative to the tree's root".to_owned());
    }
    if let Some(c) = path.chars().find(|&c| c == '\\' || is_unprintable(c)) {
        return Some(format!("holds {c:?}"));
    }
    path.split('/').find_map(component_fault)
}

fn component_fault(component: &str) -> Option<String> {
    // Other systems take `.git.`, `.GIT` and `git~1` for git's folder, and trees travel.
    let plain = component.trim_end_matches(['.', ' ']);
    match component {
        "" => Some("has an empty component".to_owned()),
        "." => Some("has the component `.`".to_owned()),
        ".." => Some("has the component `..`, which leads out of the tree".to_owned()),
        _ if plain.eq_ignore_ascii_case(".git") || plain.eq_ignore_ascii_case("git~1") => {
            Some("leads into git's own folder".to_owned())
        }
        _ if component.len() > COMPONENT_BYTES_MAX => Some(format!(
            "has a component longer than {COMPONENT_BYTES_MAX} bytes"
        )),
        _ => None,
    }
}

/// Why a pattern of paths does not parse, as a fragment; `None` if it does.
pub(crate) fn pattern_fault(pattern: &str) -> Option<String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Some(format!("is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let built = GlobBuilder::new(pattern).literal_separator(true).build();
    built
        .err()
        .map(|fault| format!("does not parse: {}", fault.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_paths_are_refused_and_plain_ones_taken() {
        let hostile = [
            "",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a/..",
            "a//b",
            "a/",
            "./a",
            "a/./b",
            "a\\b",
            "a\0b",
            "a\nb",
            "a\x1b[2Jb",
            ".git",
            ".git/hooks/x",
            "a/.GIT/config",
            ".git./x",
            ".git /x",
            "git~1/x",
            "a\u{200c}b",
            ".g\u{200c}it/x",
        ];
        for path in hostile {
            assert!(fault(path).is_some(), "{path:?}");
        }
        assert!(fault(&"a".repeat(256)).is_some());
        assert!(fault(&"a/".repeat(3000)).is_some());
        for path in [
            "a",
            "a/b.md",
            ".github/x",
            ".gitignore",
            "ä ö/ü",
            "...",
            "-rf",
            "a..b",
        ] {
            assert_eq!(fault(path), None, "{path:?}");
        }
    }

    #[test]
    fn patterns_parse_or_say_why_not() {
        assert_eq!(pattern_fault("src/**/*.{rs,toml}"), None);
        assert!(pattern_fault("src/[a").is_some());
        assert!(pattern_fault("{a").is_some());
        assert!(pattern_fault(&"*".repeat(5000)).is_some());
    }
}
