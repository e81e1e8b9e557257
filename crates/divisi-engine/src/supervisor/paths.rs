//! Where the sockets of a project lie, and who may come near them.
//!
//! Socket paths are limited to some hundred bytes and project paths are not, so sockets lie in a
//! folder of the user's runtime directory, under a short hash of the project's path. The folder
//! is private: whoever may enter it may speak to the supervisor.

use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::error::SocketError;

/// `sun_path` holds 108 bytes with its zero; the name of a socket needs some of them.
const FOLDER_BYTES_MAX: usize = 84;

/// The folder for the sockets of a project: `divisi/<hash>` under `XDG_RUNTIME_DIR`, or
/// `/tmp/divisi-<uid>/<hash>` where there is none or its path is too long. Pure: nothing is made.
#[must_use]
pub fn socket_folder(project_dir: &Path) -> PathBuf {
    let hash = blake3::hash(project_dir.as_os_str().as_bytes()).to_hex();
    let name = &hash.as_str()[..16];
    if let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        let folder = runtime.join("divisi").join(name);
        if runtime.is_absolute() && folder.as_os_str().len() <= FOLDER_BYTES_MAX {
            return folder;
        }
    }
    // SAFETY: geteuid takes nothing and cannot fail.
    let uid = unsafe { libc::geteuid() };
    PathBuf::from(format!("/tmp/divisi-{uid}")).join(name)
}

/// Makes a folder of [`socket_folder`], or accepts the one there if it and the folder above it
/// belong to this user, are no links, and nobody else may enter them.
///
/// # Errors
/// One of the two is not private, or could not be made.
pub fn prepare_socket_folder(folder: &Path) -> Result<(), SocketError> {
    if let Some(parent) = folder.parent() {
        private_folder(parent)?;
    }
    private_folder(folder)
}

fn private_folder(path: &Path) -> Result<(), SocketError> {
    let prepare = |source| SocketError::Prepare {
        path: path.to_owned(),
        source,
    };
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(prepare(error)),
    }
    let found = path.symlink_metadata().map_err(prepare)?;
    if is_private(&found) {
        Ok(())
    } else {
        Err(SocketError::NotPrivate {
            path: path.to_owned(),
        })
    }
}

fn is_private(found: &Metadata) -> bool {
    // SAFETY: geteuid takes nothing and cannot fail.
    let uid = unsafe { libc::geteuid() };
    found.is_dir() && found.uid() == uid && found.mode() & 0o077 == 0
}

/// The mark that every process of a folder's agents carries in its environment.
///
/// It names the folder itself, not only its path: the same path in a container is another folder.
pub(super) fn folder_mark(dir: &Path) -> io::Result<String> {
    let found = dir.metadata()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(dir.as_os_str().as_bytes());
    hasher.update(&found.dev().to_le_bytes());
    hasher.update(&found.ino().to_le_bytes());
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("divisi");
        prepare_socket_folder(&base.join("a")).unwrap();
        prepare_socket_folder(&base.join("a")).unwrap();

        std::fs::set_permissions(base.join("a"), PermissionsExt::from_mode(0o750)).unwrap();
        let refused = prepare_socket_folder(&base.join("a"));
        assert!(matches!(refused, Err(SocketError::NotPrivate { path }) if path == base.join("a")));

        symlink(dir.path(), base.join("link")).unwrap();
        let refused = prepare_socket_folder(&base.join("link"));
        assert!(matches!(refused, Err(SocketError::NotPrivate { .. })));

        std::fs::set_permissions(&base, PermissionsExt::from_mode(0o755)).unwrap();
        let refused = prepare_socket_folder(&base.join("b"));
        assert!(matches!(refused, Err(SocketError::NotPrivate { path }) if path == base));
    }

    #[test]
    fn a_socket_in_the_folder_of_a_long_path_fits() {
        let folder = socket_folder(Path::new(&"/very-long".repeat(100)));
        assert!(folder.as_os_str().len() <= FOLDER_BYTES_MAX);
        assert_ne!(folder, socket_folder(Path::new("/other")));
    }
}
