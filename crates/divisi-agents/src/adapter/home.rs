//! A tool's private folders in an attempt's home: made, filled, and cleared of logins afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::process::Fault;
use super::product::{Home, Lent, Product};
use crate::beneath::{self, Place};

/// Makes a tool's private folders, and the files that it is given in them. Returns the variables that
/// name them.
pub(super) fn folders(
    home: &Home,
    private: &Path,
) -> Result<BTreeMap<&'static str, PathBuf>, Fault> {
    let mut variables = BTreeMap::new();
    for (variable, folder) in home.variables {
        let folder = private.join(folder);
        fs::create_dir_all(&folder).map_err(home_fault(&folder))?;
        variables.insert(*variable, folder);
    }
    for given in home.given {
        let file = private.join(given.file);
        // A session is taken up: what stands there may be anything by now.
        beneath::delete(private, given.file)
            .and_then(|()| beneath::write(private, given.file, given.text.as_bytes(), Place::Whole))
            .map_err(|fault| home_fault(&file)(io::Error::other(fault)))?;
        variables.insert(given.variable, file);
    }
    Ok(variables)
}

fn home_fault(path: &Path) -> impl FnOnce(io::Error) -> Fault + use<> {
    let path = path.to_owned();
    move |source| Fault::Home { path, source }
}

/// Puts links into them to what a tool may read of the user's: a copy of a login would stay under
/// `.divisi`.
pub(super) fn lend(
    home: &Home,
    private: &Path,
    variables: &BTreeMap<String, String>,
) -> Result<(), Fault> {
    for lent in home.files {
        let Some(source) = source_of(lent, variables) else {
            continue;
        };
        let target = private.join(lent.to).join(lent.file);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(home_fault(folder))?;
        }
        // A session is taken up: what stands there may be anything by now.
        beneath::delete(private, &format!("{}/{}", lent.to, lent.file))
            .map_err(|fault| home_fault(&target)(io::Error::other(fault)))?;
        symlink(&source, &target).map_err(home_fault(&target))?;
    }
    Ok(())
}

/// Takes the user's logins out of a tool's private folder, links and what a tool may have written in
/// their place: a copy must not stay there when the attempt has ended. No link on the way there is
/// followed, or the user's own login would go.
///
/// # Errors
/// One cannot be removed.
pub fn take_logins(product: &Product, home: &Path) -> Result<(), beneath::Fault> {
    let logins = product.home.files.iter().filter(|lent| lent.is_login);
    for lent in logins {
        beneath::delete(home, &format!("{}/{}", lent.to, lent.file))?;
    }
    Ok(())
}

/// Where the user has such a file, if there is one. A folder that is named relative to the one that
/// the tool works in would be the repository's, not the user's.
pub(super) fn source_of(lent: &Lent, variables: &BTreeMap<String, String>) -> Option<PathBuf> {
    let folder = match variables.get(lent.variable) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(variables.get("HOME")?).join(lent.folder),
    };
    let file = folder.join(lent.file);
    (file.is_absolute() && file.is_file()).then_some(file)
}
