//! The repository's texts by path: what the rules look at instead of the file system.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Result;

/// Texts of the repository; other files are known by name only.
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

/// Folders that hold nothing of ours: build output, version control, Divisi's own state.
const SKIPPED: &[&str] = &["target", ".git", ".divisi"];

impl Tree {
    /// Reads all texts beneath `root`. Files that are not UTF-8 have an empty text.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Tree> {
        let mut files = BTreeMap::new();
        let mut folders = vec![(root.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let kind = entry.file_type()?;
                if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                    folders.push((entry.path(), format!("{prefix}{name}/")));
                } else if kind.is_file() {
                    let bytes = fs::read(entry.path())?;
                    let text = String::from_utf8(bytes).unwrap_or_default();
                    files.insert(format!("{prefix}{name}"), text);
                }
            }
        }
        Ok(Tree { files })
    }

    /// A tree of samples.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
        Tree {
            files: files.iter().map(own).collect(),
        }
    }

    /// The text at a path.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files under a folder (`"docs/"`, or `""` for all) whose name ends so.
    pub(crate) fn under<'a>(
        &'a self,
        folder: &'a str,
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(folder) && path.ends_with(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The Markdown files that are about the project: all of them except samples of tests.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&str, &str)> {
        self.under("", ".md")
            .filter(|(path, _)| !path.contains("/tests/") && !path.starts_with("examples/"))
    }
}
