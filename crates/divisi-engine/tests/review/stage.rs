//! Repositories made for a test, and what is found in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use divisi_engine::review::{Perspective, Request, Review, review};

/// A repository in a temporary folder.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// An empty one.
    pub(crate) fn new() -> Repository {
        let repository = Repository {
            folder: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// One with these files under version control.
    pub(crate) fn of(files: &[(&str, &str)]) -> Repository {
        let repository = Repository::new();
        for (path, text) in files {
            repository.write(path, text.as_bytes());
        }
        repository.commit();
        repository
    }

    /// Its top.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs git in it.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@localhost"])
            .args(args)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {err}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Commits everything.
    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=change"]);
    }

    /// A request for all of it, on a machine without any tool.
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            folder: self.path(),
            perspectives: Perspective::ALL.to_vec(),
            base: None,
            only: Vec::new(),
            paths: Vec::new(),
            trusted: false,
            online: false,
            variables: BTreeMap::new(),
        }
    }

    /// All reviews of it.
    pub(crate) fn reviews(&self) -> Vec<Review> {
        review(&self.request()).unwrap()
    }

    /// What is found of what changed since a revision.
    pub(crate) fn changed_since(&self, base: &str) -> BTreeSet<String> {
        let request = Request {
            base: Some(base.to_owned()),
            ..self.request()
        };
        found(&review(&request).unwrap())
    }
}

/// All findings, as `path:line rule`.
pub(crate) fn found(reviews: &[Review]) -> BTreeSet<String> {
    let findings = reviews.iter().flat_map(|review| &review.findings);
    findings
        .map(|finding| format!("{}:{} {}", finding.file, finding.line, finding.rule))
        .collect()
}

/// A set of such words.
pub(crate) fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
