//! Who answers an agent's requests where nobody else is asked: what is done in the workspace is
//! allowed, and what would change anything elsewhere is not.

use std::path::{Component, Path, PathBuf};

use super::permission::{Broker, Decision, Deed, Request};

/// Allows what an attempt may do anyway.
#[derive(Clone, Debug)]
pub struct Within {
    workspace: PathBuf,
}

impl Within {
    /// In this folder.
    #[must_use]
    pub fn new(workspace: &Path) -> Within {
        Within {
            workspace: plain(workspace),
        }
    }

    fn holds(&self, path: &str) -> bool {
        plain(&self.workspace.join(path)).starts_with(&self.workspace)
    }
}

impl Broker for Within {
    fn decide(&self, request: &Request) -> Decision {
        let changes = matches!(request.deed, Deed::Edit | Deed::Delete);
        match request.paths.iter().find(|path| !self.holds(path)) {
            Some(path) if changes => Decision::Deny {
                reason: format!("{path} is outside the workspace"),
            },
            _ => Decision::Allow,
        }
    }
}

/// A path without steps up. Links are followed by nobody here: what they lead to is confined by the
/// system.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(deed: Deed, paths: &[&str]) -> Decision {
        let request = Request {
            id: "1".to_owned(),
            deed,
            title: "it".to_owned(),
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
            command: None,
        };
        Within::new(Path::new("/w/./t1")).decide(&request)
    }

    #[test]
    fn changes_are_allowed_in_the_workspace_alone() {
        for paths in [&["/w/t1/a.md"][..], &["a.md", "b/../c.md"], &[]] {
            assert_eq!(decided(Deed::Edit, paths), Decision::Allow, "{paths:?}");
        }
        for path in [
            "/w/t10/a.md",
            "../t2/a.md",
            "/w/t1/../t2/a.md",
            "/etc/passwd",
        ] {
            for deed in [Deed::Edit, Deed::Delete] {
                let decision = decided(deed, &["/w/t1/a.md", path]);
                assert!(matches!(&decision, Decision::Deny { reason } if reason.contains(path)));
            }
        }
    }

    #[test]
    fn what_changes_nothing_may_be_anywhere() {
        assert_eq!(decided(Deed::Read, &["/etc/hosts"]), Decision::Allow);
        assert_eq!(decided(Deed::Execute, &["/tmp"]), Decision::Allow);
    }
}
