//! What setups left: kept once, whole, and never more than is bearable.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use divisi_core::preparation::Setup;
use divisi_core::{Digest, Preparation, TaskNo, Tree};
use divisi_engine::workspace::{
    Checkout, Chosen, GcAction, Given, KeepError, Layer, Pool, Proof, Provision,
};

use crate::hostile::fifo;
use crate::project::{Project, RUN, base, collect, entries, git, write};

/// A preparation with one setup that reads these files.
fn preparation(inputs: Option<&[&str]>, copy: &[&str]) -> Preparation {
    let list = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    Preparation {
        copy: list(copy),
        setup: vec![Setup::Script("make deps".to_owned())],
        inputs: inputs.map(list),
        timeout_ms: None,
    }
}

fn head(pool: &Pool) -> Tree {
    pool.repo().tree_of(&base(pool).commit).unwrap()
}

fn key(pool: &Pool, preparation: &Preparation) -> Digest {
    let chosen = Chosen::new(&preparation.copy).unwrap();
    pool.layer_key(&head(pool), preparation, &chosen).unwrap()
}

fn some_key(seed: u8) -> Digest {
    Digest::new(&format!("{seed:02x}").repeat(32)).unwrap()
}

fn checkout(pool: &Arc<Pool>) -> Checkout {
    let given = Given::NOTHING;
    pool.checkout_for_setup(&head(pool), None, given).unwrap()
}

/// A layer of whatever `set_up` makes in a checkout.
fn keep(
    pool: &Arc<Pool>,
    key: &Digest,
    secrets: &[String],
    set_up: impl FnOnce(&std::path::Path),
) -> Result<Layer, KeepError> {
    let checkout = checkout(pool);
    set_up(checkout.path());
    pool.keep_layer(checkout, key, secrets)
}

fn refused(kept: Result<Layer, KeepError>) -> String {
    match kept {
        Err(KeepError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_a_setup_left_is_in_every_workspace_and_nobodys_work() {
    let project = Project::git(&[("src/a", "1"), (".gitignore", "deps/\nsrc/gen\n")]);
    write(project.file("local.cfg"), "copied");
    let pool = project.pool();
    let chosen = Chosen::new(&["local.cfg".to_owned()]).unwrap();
    let given = Given {
        provision: Provision::Chosen(&chosen),
        secrets: &[],
    };
    let checkout = pool.checkout_for_setup(&head(&pool), None, given).unwrap();
    let at = |path: &str| checkout.path().join(path);
    assert!(at("local.cfg").exists());
    write(at("deps/one/lib"), "made");
    std::os::unix::fs::symlink("/usr/bin/true", at("deps/true")).unwrap();
    std::fs::create_dir(at("deps/empty")).unwrap();
    fifo(&at("deps/pipe"));
    write(at("src/gen"), "made");
    let key = some_key(1);
    assert!(pool.layer(&key).is_none());
    pool.keep_layer(checkout, &key, &[]).unwrap();

    let layer = pool.layer(&key).unwrap();
    let given = Given {
        provision: Provision::Layer(&layer),
        secrets: &[],
    };
    for task in 1..=2 {
        let commit = base(&pool).commit;
        let made = pool.worktree_with(RUN, TaskNo(task), 1, &commit, given);
        let (workspace, left_out) = made.unwrap();
        assert_eq!(left_out, ["deps/pipe: it is no file, folder or link"]);
        let top = [".gitignore", "deps", "local.cfg", "src"];
        assert_eq!(entries(&workspace.path), top);
        assert_eq!(
            entries(&workspace.path.join("deps")),
            ["empty", "one", "true"]
        );
        assert_eq!(entries(&workspace.path.join("src")), ["a", "gen"]);
        assert_eq!(git(&workspace.path, &["status", "--porcelain"]), "");
        assert_eq!(collect(&pool, &workspace).changed, [""; 0]);
        // A workspace has copies: what an agent does to them reaches no other.
        write(workspace.path.join("deps/one/lib"), "spoiled");
    }
    let checkout = pool.checkout_with(&head(&pool), None, given).unwrap();
    let text = std::fs::read_to_string(checkout.path().join("deps/one/lib"));
    assert_eq!(text.unwrap(), "made");
}

#[test]
fn a_setup_that_changes_what_is_an_agents_to_change_is_refused() {
    let project = Project::git(&[("a", "1"), ("gone", "1"), (".gitignore", "deps/\n")]);
    let pool = project.pool();
    let key = some_key(1);
    let why = refused(keep(&pool, &key, &[], |folder| {
        write(folder.join("a"), "changed");
        std::fs::remove_file(folder.join("gone")).unwrap();
        write(folder.join("new"), "x");
        write(folder.join("deps/x"), "x");
    }));
    for path in ["a", "gone", "new"] {
        assert!(why.contains(path), "{why}");
    }
    assert!(!why.contains("deps"), "{why}");
    let why = refused(keep(&pool, &key, &[], |folder| {
        fifo(&folder.join(".gitattributes"));
    }));
    assert!(why.contains("FIFO"), "{why}");
    assert!(pool.layer(&key).is_none());
    assert!(!project.file(".divisi/prepared").exists());
}

#[test]
fn a_secret_that_a_setup_left_is_not_kept() {
    let project = Project::git(&[("a", "1"), (".gitignore", "deps/\n")]);
    let pool = project.pool();
    let secrets = ["hunter2hunter2".to_owned()];
    let attempts: [&dyn Fn(&std::path::Path); 3] = [
        &|folder| write(folder.join("deps/x/log"), "token hunter2hunter2"),
        &|folder| write(folder.join("deps/hunter2hunter2"), ""),
        &|folder| {
            std::fs::create_dir(folder.join("deps")).unwrap();
            std::os::unix::fs::symlink("hunter2hunter2", folder.join("deps/l")).unwrap();
        },
    ];
    for (seed, set_up) in attempts.iter().enumerate() {
        let key = some_key(u8::try_from(seed).unwrap());
        let why = refused(keep(&pool, &key, &secrets, set_up));
        assert!(why.contains("the value of a secret"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
        assert_eq!(entries(&project.file(".divisi/prepared")), [""; 0]);
    }
}

#[test]
fn a_layer_is_named_by_all_that_its_setup_depends_on() {
    let project = Project::git(&[("lock", "1"), ("src/a", "1")]);
    write(project.file("local.cfg"), "1");
    let pool = project.pool();
    let whole = preparation(None, &[]);
    let lock = preparation(Some(&["lock"]), &[]);
    let nothing = preparation(Some(&[]), &[]);
    let copied = preparation(Some(&[]), &["local.cfg"]);
    let all = [&whole, &lock, &nothing, &copied];
    let keys = || all.map(|preparation| key(&pool, preparation));
    let first = keys();
    assert_eq!(keys(), first);
    for (at, one) in first.iter().enumerate() {
        assert!(!first[..at].contains(one));
    }
    let other = Preparation {
        setup: vec![Setup::Command(vec!["make".into(), "deps".into()])],
        ..whole.clone()
    };
    assert_ne!(key(&pool, &other), first[0]);

    let differs = |before: &[Digest; 4]| -> Vec<bool> {
        let after = keys();
        before.iter().zip(&after).map(|(a, b)| a != b).collect()
    };
    write(project.file("src/a"), "2");
    project.run_git(&["commit", "--quiet", "--all", "--message=src"]);
    assert_eq!(differs(&first), [true, false, false, false]);
    let second = keys();
    write(project.file("lock"), "2");
    project.run_git(&["commit", "--quiet", "--all", "--message=lock"]);
    assert_eq!(differs(&second), [true, true, false, false]);
    let third = keys();
    write(project.file("local.cfg"), "2 and more");
    assert_eq!(differs(&third), [false, false, false, true]);
}

#[test]
fn only_a_few_layers_are_kept_and_gc_takes_all() {
    let project = Project::git(&[("a", "1"), (".gitignore", "deps/\n")]);
    let pool = project.pool();
    let made = |folder: &std::path::Path| write(folder.join("deps/x"), "12345");
    for seed in 0..8 {
        keep(&pool, &some_key(seed), &[], made).unwrap();
        let folder = project.file(&format!(".divisi/prepared/{}", some_key(seed)));
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(seed));
        std::fs::File::open(folder)
            .unwrap()
            .set_modified(at)
            .unwrap();
    }
    // The first was used again, so the second is the oldest.
    assert!(pool.layer(&some_key(0)).is_some());
    keep(&pool, &some_key(8), &[], made).unwrap();
    let left: Vec<u8> = (0..9)
        .filter(|seed| pool.layer(&some_key(*seed)).is_some())
        .collect();
    assert_eq!(left, [0, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(entries(&project.file(".divisi/prepared")).len(), 8);

    let nothing_known = |_: &_| Proof::None;
    let of_layers = |dry_run| {
        let items = pool.gc(dry_run, &nothing_known).unwrap();
        let layers = items
            .into_iter()
            .filter(|item| item.name.starts_with("prepared/"));
        layers.collect::<Vec<_>>()
    };
    let planned = of_layers(true);
    assert_eq!(planned.len(), 8);
    assert!(
        planned
            .iter()
            .all(|item| item.action == GcAction::Remove && item.bytes > 0)
    );
    assert_eq!(entries(&project.file(".divisi/prepared")).len(), 8);
    assert_eq!(of_layers(false), planned);
    assert_eq!(entries(&project.file(".divisi/prepared")), [""; 0]);
}

#[test]
fn what_a_crash_left_of_a_layer_is_none() {
    let project = Project::git(&[("a", "1")]);
    write(
        project.file(".divisi/prepared/tmp-999999999-x/deps/half"),
        "x",
    );
    let alive = format!(".divisi/prepared/tmp-{}-x/deps/half", std::process::id());
    write(project.file(&alive), "x");
    let _pool = project.pool();
    let left = entries(&project.file(".divisi/prepared"));
    assert_eq!(left, [format!("tmp-{}-x", std::process::id())]);
}

#[test]
fn a_setup_never_works_in_a_folder_that_something_else_may_still_write_to() {
    let project = Project::git(&[("a", "1")]);
    let pool = project.pool();
    let tree = head(&pool);
    drop(pool.checkout(&tree, None).unwrap());
    let free = entries(&project.file(".divisi/worktrees"));
    assert_eq!(free, ["free-0"]);
    let one = checkout(&pool);
    assert!(!one.path().ends_with("check-0"), "{:?}", one.path());
}
