//! Every code that can be told has a page that explains it.

use std::collections::BTreeSet;
use std::path::Path;

/// All words in quotes that start as a code of this part does.
fn codes(source: &str) -> BTreeSet<String> {
    let quoted = source.split('"').skip(1).step_by(2);
    let is_code = |word: &&str| {
        ["repo-", "collect-", "merge-"]
            .iter()
            .any(|start| word.starts_with(start))
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    quoted.filter(is_code).map(str::to_owned).collect()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut told = BTreeSet::new();
    for source in [
        include_str!("../../src/repo/fault.rs"),
        include_str!("../../src/repo/refusal.rs"),
        include_str!("../../src/repo/base.rs"),
        include_str!("../../src/workspace/refusal.rs"),
    ] {
        told.extend(codes(source));
    }
    // These are words of git's.
    told.remove("merge-tree");
    told.remove("merge-base");
    assert!(told.len() > 30, "{told:?}");
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    for code in &told {
        let page = std::fs::read_to_string(pages.join(format!("{code}.md"))).unwrap_or_default();
        for heading in [
            format!("# {code}\n"),
            "## Cause\n".into(),
            "## Fix\n".into(),
            "## Example\n".into(),
        ] {
            assert!(
                page.contains(&heading),
                "docs/errors/{code}.md lacks {heading:?}"
            );
        }
    }
    for entry in std::fs::read_dir(&pages).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.trim_end_matches(".md").to_owned();
        if ["repo-", "collect-", "merge-"]
            .iter()
            .any(|start| code.starts_with(start))
        {
            assert!(told.contains(&code), "docs/errors/{name} explains no code");
        }
    }
}
