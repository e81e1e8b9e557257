//! Which lines of a file a change touched.

/// What of a file is under review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// All of it.
    All,
    /// These lines, and the places where lines were taken out.
    Lines(Lines),
}

/// Touched lines, from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// First and last line of what was added.
    added: Vec<(u32, u32)>,
    /// The lines after which something was taken out.
    cuts: Vec<u32>,
}

impl Changed {
    /// Whether nothing of it was touched.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Changed::All => false,
            Changed::Lines(lines) => lines.added.is_empty() && lines.cuts.is_empty(),
        }
    }

    /// Whether something that spans these lines was touched.
    pub(crate) fn touches(&self, first: u32, last: u32) -> bool {
        match self {
            Changed::All => true,
            Changed::Lines(lines) => {
                let added = |&(from, to): &(u32, u32)| from <= last && first <= to;
                // What was taken out at its end belonged to it, as far as one can know.
                let cut = |&after: &u32| first < last && first <= after && after <= last;
                lines.added.iter().any(added) || lines.cuts.iter().any(cut)
            }
        }
    }
}

/// The touched lines of each file of a patch without context, by the file's new path.
///
/// Every hunk says how many lines it has, so no line of a file is taken for a line of the patch.
pub(crate) fn of_patch(patch: &[u8]) -> Vec<(String, Lines)> {
    let mut files: Vec<(String, Lines)> = Vec::new();
    let mut lines = patch.split(|&byte| byte == b'\n');
    let mut is_listed = false;
    while let Some(line) = lines.next() {
        if line.starts_with(b"diff --git ") {
            is_listed = false;
        } else if let Some(name) = line.strip_prefix(b"+++ ") {
            if let Some(path) = path(name) {
                files.push((path, Lines::default()));
                is_listed = true;
            }
        } else if let Some(hunk) = hunk(line) {
            if let Some((_, touched)) = files.last_mut().filter(|_| is_listed) {
                touched.add(&hunk);
            }
            let mut left = hunk.removed.1.saturating_add(hunk.added.1);
            while left > 0 {
                let Some(line) = lines.next() else { break };
                left -= u32::from(!line.starts_with(b"\\"));
            }
        }
    }
    files
}

/// Start and count of the removed and of the added lines.
struct Hunk {
    removed: (u32, u32),
    added: (u32, u32),
}

impl Lines {
    fn add(&mut self, hunk: &Hunk) {
        let (start, count) = hunk.added;
        match count {
            // Git names the line before the gap.
            0 => self.cuts.push(start),
            _ => self.added.push((start, start.saturating_add(count - 1))),
        }
    }
}

/// `@@ -1,2 +3 @@ …`
fn hunk(line: &[u8]) -> Option<Hunk> {
    let text = std::str::from_utf8(line.get(..line.len().min(80))?).or_else(|error| {
        // What follows the second mark is a line of the file.
        std::str::from_utf8(&line[..error.valid_up_to()])
    });
    let rest = text.ok()?.strip_prefix("@@ -")?;
    let (removed, rest) = rest.split_once(" +")?;
    let (added, _) = rest.split_once(" @@")?;
    let range = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    Some(Hunk {
        removed: range(removed)?,
        added: range(added)?,
    })
}

/// The path in a patch's header, without its prefix; none for no file.
fn path(name: &[u8]) -> Option<String> {
    let name = name.strip_suffix(b"\t").unwrap_or(name);
    let name = match name.strip_prefix(b"\"") {
        Some(quoted) => unquoted(quoted.strip_suffix(b"\"").unwrap_or(quoted)),
        None => name.to_vec(),
    };
    let name = String::from_utf8(name).ok()?;
    name.strip_prefix("b/").map(str::to_owned)
}

/// Undoes git's quoting.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let octal = after
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = octal {
            bytes.push(byte);
            rest = &after[3..];
        } else if let Some((&escaped, after)) = after.split_first() {
            bytes.push(match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                other => other,
            });
            rest = after;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_read_by_its_counts() {
        let patch = b"diff --git a/a.rs b/a.rs\n--- a/a.rs\n+++ b/a.rs\n@@ -1,0 +2,2 @@ fn\n+x\n+diff --git a/evil b/evil\n@@ -9,2 +11,0 @@\n-++ b/evil\n-y\n@@ -20 +20 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\ndiff --git a/gone b/gone\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\ndiff --git \"a/\\303\\274 \\\"x\" \"b/\\303\\274 \\\"x\"\n--- /dev/null\n+++ \"b/\\303\\274 \\\"x\"\n@@ -0,0 +1 @@\n+x\n";
        let files = of_patch(patch);
        let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["a.rs", "\u{fc} \"x"]);
        let a = Changed::Lines(files[0].1.clone());
        assert!(!a.touches(1, 1));
        assert!(a.touches(3, 3) && a.touches(20, 20));
        assert!(!a.touches(4, 10));
        assert!(a.touches(10, 12), "a cut is within");
        assert!(!a.touches(11, 11), "a cut is at no line");
        assert!(a.touches(10, 11), "a cut is at the end");
        assert!(Changed::All.touches(7, 7));
    }

    #[test]
    fn a_hunk_of_a_file_that_is_not_text_is_no_panic() {
        assert!(of_patch(b"+++ b/a\n@@ -1 +1,4294967295 @@ \xff\xfe\n+x").len() == 1);
        assert!(of_patch(b"@@ -1 +1 @@\n+x\n@@").is_empty());
    }
}
