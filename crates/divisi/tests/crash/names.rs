//! The list of failpoints is closed: what stands in the code stands in it, and the other way round.

use std::collections::BTreeSet;
use std::path::Path;

use divisi_engine::failpoint::NAMES;

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_failpoint_in_the_code_is_in_the_list_and_every_one_in_the_list_is_in_the_code() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    for name in ["divisi-engine", "divisi-store", "divisi"] {
        sources(&crates.join(name).join("src"), &mut texts);
    }
    let calls = ["failpoint::hit(\"", ".hook(\"", ".at(\""];
    let mut found = BTreeSet::new();
    for text in &texts {
        for call in calls {
            let names = text.split(call).skip(1);
            found.extend(names.filter_map(|rest| Some(rest.split_once("\")")?.0.to_owned())));
        }
    }
    let listed = NAMES.iter().map(|name| (*name).to_owned());
    assert_eq!(found, listed.collect());
    assert_eq!(NAMES.iter().collect::<BTreeSet<_>>().len(), NAMES.len());
}
