//! What the kernel refused to a tool that is confined to its workspace. Nobody is asked about that and
//! no tool tells of it: it stands in what a command printed, if there.

use std::path::Path;

/// The kernel's words, as programs of many languages pass them on, in lower case.
const REFUSAL: &str = "permission denied";

/// What may stand around a path in such a line.
const AROUND: [char; 8] = ['\'', '"', '`', '‘', '’', ':', ',', ' '];

/// The first line of what a failed command printed that says that it was refused something outside of
/// the workspace. Within, files have permissions too: that is no wall.
pub(super) fn refused<'o>(output: &'o str, workspace: &Path) -> Option<&'o str> {
    let mut lines = output.lines().map(str::trim);
    lines.find(|line| {
        let is_outside = |path: &Path| !path.starts_with(workspace);
        line.to_lowercase().contains(REFUSAL) && paths(line).any(is_outside)
    })
}

/// Paths in a line but for the first word, by which a shell names itself.
fn paths(line: &str) -> impl Iterator<Item = &Path> {
    let words = line.split(AROUND).skip(1);
    words.map(Path::new).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, expected: Option<&str>) {
        assert_eq!(refused(output, Path::new("/home/me/space")), expected);
    }

    #[test]
    fn a_path_outside_that_was_refused_is_found_in_the_words_of_each_program() {
        for line in [
            "/bin/bash: line 1: /srv/a.md: Permission denied",
            "sh: 1: cannot create /srv/a.md: Permission denied",
            "touch: cannot touch '/srv/a.md': Permission denied",
            "mkdir: cannot create directory ‘/srv/a’: Permission denied",
            "PermissionError: [Errno 13] Permission denied: '/srv/a.md'",
            "Error: EACCES: permission denied, open '/srv/a.md'",
            "sh: 1: cannot create /home/me/space-beside/a.md: Permission denied",
        ] {
            check(&format!("it begins\n{line}\nit ends\n"), Some(line));
        }
    }

    #[test]
    fn what_is_within_or_no_refusal_is_none() {
        for line in [
            "cat: log: Permission denied",
            "/bin/bash: line 1: ./build.sh: Permission denied",
            "/bin/bash: line 1: /home/me/space/build.sh: Permission denied",
            "cat: /srv/a.md: No such file or directory",
            "Permission denied",
            "",
        ] {
            check(line, None);
        }
    }
}
