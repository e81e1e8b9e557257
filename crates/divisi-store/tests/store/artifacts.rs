//! Content by digest: whole or absent, verified, and never by way of a link.

use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use divisi_core::Digest;
use divisi_core::journal::{Artifacts, Fault};
use divisi_store::{ARTIFACT_BYTES_MAX, ArtifactFiles, GiveBack, GivenBack, Options, Store};
use tempfile::TempDir;

use crate::given::{divisi, folder, open, options, view};

fn vault(folder: &TempDir) -> ArtifactFiles {
    open(&divisi(folder)).artifacts()
}

/// Where an artifact lies, cleared for something else.
fn place(vault: &ArtifactFiles) -> (Digest, PathBuf) {
    let digest = vault.put(b"content").unwrap();
    let path = vault.path(&digest).unwrap();
    fs::remove_file(&path).unwrap();
    (digest, path)
}

#[test]
fn what_is_put_is_got_by_its_digest() {
    let folder = folder();
    let vault = vault(&folder);
    for bytes in [&b""[..], b"a", &[0xff; 100_000]] {
        let digest = vault.put(bytes).unwrap();
        assert_eq!(digest.as_str(), blake3::hash(bytes).to_hex().as_str());
        assert_eq!(vault.put(bytes).unwrap(), digest);
        assert_eq!(vault.get(&digest).unwrap().as_deref(), Some(bytes));
        let hex = digest.as_str();
        let path = divisi(&folder)
            .join("artifacts")
            .join(&hex[..2])
            .join(&hex[2..]);
        assert_eq!(fs::read(path).unwrap(), bytes);
        let seen = view(&divisi(&folder)).artifacts().get(&digest).unwrap();
        assert_eq!(seen.as_deref(), Some(bytes));
    }
    let partial = divisi(&folder).join("artifacts/.partial");
    assert_eq!(fs::read_dir(partial).unwrap().count(), 0);
}

#[test]
fn what_was_never_put_is_absent() {
    let folder = folder();
    let vault = vault(&folder);
    assert_eq!(
        vault.get(&Digest::new(&"ab".repeat(32)).unwrap()).unwrap(),
        None
    );
    // A hash of another kind has no place here.
    assert_eq!(
        vault.get(&Digest::new(&"ab".repeat(20)).unwrap()).unwrap(),
        None
    );
}

#[test]
fn changed_content_is_never_returned_and_can_be_healed() {
    let folder = folder();
    let vault = vault(&folder);
    let (digest, path) = place(&vault);
    for wrong in [&b"c0ntent"[..], b"", b"content and more"] {
        fs::write(&path, wrong).unwrap();
        let Err(Fault::Unreadable(cause)) = vault.get(&digest) else {
            panic!("{wrong:?} passed for the content");
        };
        assert!(cause.contains("not what it was"), "{cause}");
        assert_eq!(vault.put(b"content").unwrap(), digest);
        assert_eq!(vault.get(&digest).unwrap().unwrap(), b"content");
    }
}

type Plant<'a> = Box<dyn Fn() + 'a>;

#[test]
fn links_pipes_sockets_and_giants_are_refused_unread() {
    let folder = folder();
    let vault = vault(&folder);
    let (digest, path) = place(&vault);
    let secret = folder.path().join("secret");
    fs::write(&secret, "content").unwrap();
    let plants: [(&str, Plant<'_>); 4] = [
        ("link", Box::new(|| symlink(&secret, &path).unwrap())),
        (
            "not a regular file",
            Box::new(|| {
                let made = Command::new("mkfifo").arg(&path).status().unwrap();
                assert!(made.success());
            }),
        ),
        (
            "not a regular file",
            // Bound by a short name: a socket's path has room for 107 bytes.
            Box::new(|| {
                let short = folder.path().join("s");
                drop(UnixListener::bind(&short).unwrap());
                fs::rename(&short, &path).unwrap();
            }),
        ),
        (
            "more than",
            Box::new(|| File::create(&path).unwrap().set_len(1 << 40).unwrap()),
        ),
    ];
    for (why, plant) in plants {
        plant();
        let Err(Fault::Unreadable(cause)) = vault.get(&digest) else {
            panic!("{why}: it was read");
        };
        assert!(cause.contains(why), "{cause}");
        // Putting replaces what was planted, and does not write through it.
        assert_eq!(vault.put(b"content").unwrap(), digest);
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(vault.get(&digest).unwrap().unwrap(), b"content");
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read(&secret).unwrap(), b"content");
}

#[test]
fn an_artifact_too_large_to_get_is_not_put() {
    let folder = folder();
    let vault = vault(&folder);
    let giant = vec![0; ARTIFACT_BYTES_MAX as usize + 1];
    assert!(matches!(vault.put(&giant), Err(Fault::Other(_))));
    assert!(vault.put(&giant[1..]).is_ok());
}

#[test]
fn leftovers_of_a_crash_are_cleared_when_the_engine_opens() {
    let folder = folder();
    let digest = vault(&folder).put(b"content").unwrap();
    let partial = divisi(&folder).join("artifacts/.partial");
    fs::write(partial.join("17-0"), "half").unwrap();
    let _reader = view(&divisi(&folder));
    assert_eq!(fs::read_dir(&partial).unwrap().count(), 1);
    let vault = vault(&folder);
    assert_eq!(fs::read_dir(&partial).unwrap().count(), 0);
    assert_eq!(vault.get(&digest).unwrap().unwrap(), b"content");
}

#[test]
fn many_threads_may_put_the_same_and_different_bytes() {
    let folder = folder();
    let vault = vault(&folder);
    std::thread::scope(|scope| {
        for own in 0..4_u8 {
            let vault = vault.clone();
            scope.spawn(move || {
                for bytes in [vec![9; 50], vec![own; 60]] {
                    let digest = vault.put(&bytes).unwrap();
                    assert_eq!(vault.get(&digest).unwrap().unwrap(), bytes);
                }
            });
        }
    });
}

thread_local! {
    static SEEN: RefCell<Vec<(&'static str, usize)>> = const { RefCell::new(Vec::new()) };
    static ROOT: RefCell<PathBuf> = const { RefCell::new(PathBuf::new()) };
}

/// Notes at each point how many whole artifacts there are.
fn watch(point: &'static str) {
    let root = ROOT.with_borrow(Clone::clone);
    let whole = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != ".partial")
        .map(|entry| fs::read_dir(entry.path()).unwrap().count())
        .sum();
    SEEN.with_borrow_mut(|seen| seen.push((point, whole)));
}

#[test]
fn the_hook_is_called_around_the_rename() {
    let folder = folder();
    let options = Options {
        hook: Some(watch),
        ..options()
    };
    let store = Store::open(&divisi(&folder), options).unwrap();
    ROOT.set(divisi(&folder).join("artifacts"));
    store.artifacts().put(b"content").unwrap();
    assert_eq!(
        SEEN.take(),
        [
            ("artifact.write.before", 0),
            ("artifact.rename.before", 0),
            ("artifact.rename.after", 1),
        ]
    );
    store.artifacts().put(b"content").unwrap();
    assert_eq!(SEEN.take(), []);
}

#[test]
fn what_nobody_needs_is_given_back_unless_it_is_young_or_no_artifact() {
    let folder = folder();
    let vault = vault(&folder);
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    let age = |path: &PathBuf| {
        let file = File::open(path).unwrap();
        file.set_modified(long_ago).unwrap();
    };
    let put = |bytes: &[u8]| {
        let digest = vault.put(bytes).unwrap();
        age(&vault.path(&digest).unwrap());
        digest
    };
    let (old, needed, again) = (put(b"old"), put(b"needed"), put(b"again"));
    let young = vault.put(b"young").unwrap();
    vault.put(b"again").unwrap();
    let foreign = vault.path(&old).unwrap().with_file_name("note");
    fs::write(&foreign, "mine").unwrap();
    age(&foreign);
    let link = vault.path(&Digest::new(&"ab".repeat(32)).unwrap()).unwrap();
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(&foreign, &link).unwrap();

    let named = [needed.clone()].into();
    let expected = GivenBack {
        artifacts: 1,
        bytes: 3,
    };
    let told = vault.give_back(&named, GiveBack::DryRun).unwrap();
    assert_eq!(told, expected);
    assert!(vault.get(&old).unwrap().is_some(), "it was only asked");
    assert_eq!(vault.give_back(&named, GiveBack::Now).unwrap(), expected);
    assert_eq!(vault.get(&old).unwrap(), None);
    for kept in [&needed, &again, &young] {
        assert!(vault.get(kept).unwrap().is_some());
    }
    assert!(foreign.exists() && link.is_symlink());
    let nothing = vault.give_back(&named, GiveBack::Now).unwrap();
    assert_eq!(nothing, GivenBack::default());
}

#[test]
fn where_nothing_was_ever_put_nothing_is_given_back() {
    let folder = folder();
    let vault = vault(&folder);
    let given = vault.give_back(&[].into(), GiveBack::Now).unwrap();
    assert_eq!(given, GivenBack::default());
}
