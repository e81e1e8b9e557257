use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// A workspace with links in it, a folder beyond it, and one that is granted.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let root = tempfile::tempdir().unwrap();
        for folder in ["work/docs", "work/secrets", "beyond/sub", "granted"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let at = |name: &str| root.path().join(name);
        symlink(at("beyond"), at("work/out")).unwrap();
        symlink("secrets", at("work/plain")).unwrap();
        symlink(at("nowhere"), at("work/dangling")).unwrap();
        symlink("loop", at("work/loop")).unwrap();
        // The workspace itself is told through a link.
        symlink(at("work"), at("alias")).unwrap();
        Place { root }
    }

    fn path(&self, name: &str) -> String {
        let real = self.root.path().canonicalize().unwrap();
        real.join(name).to_str().unwrap().to_owned()
    }

    /// What the rules say of a request of a developer, and which rule.
    fn ruled(&self, request: &Request, rules: &[Rule]) -> Ruled {
        self.ruled_as(request, rules, Some("web/developer"), false)
            .0
    }

    fn ruled_as(
        &self,
        request: &Request,
        rules: &[Rule],
        role: Option<&str>,
        unconfined: bool,
    ) -> (Ruled, Vec<String>) {
        let asker = Asker {
            role,
            workspace: &self.root.path().join("alias"),
            granted: &[self.root.path().join("granted")],
            unconfined,
        };
        let mut request = request.clone();
        let ruled = super::ruled(&mut request, rules.iter(), asker);
        (ruled, request.paths)
    }

    #[track_caller]
    fn check(&self, request: Request, rules: &[Rule], expected: Ruling) {
        let ruled = self.ruled(&request, rules);
        assert_eq!(ruled.ruling, expected, "{request:?}: {}", ruled.because);
    }
}

fn of_files(deed: Deed, paths: &[&str]) -> Request {
    Request {
        id: String::new(),
        deed,
        title: "a title".to_owned(),
        paths: paths.iter().map(ToString::to_string).collect(),
        command: None,
    }
}

fn edit(path: &str) -> Request {
    of_files(Deed::Edit, &[path])
}

fn run(command: &str) -> Request {
    Request {
        command: Some(command.to_owned()),
        ..of_files(Deed::Execute, &[])
    }
}

fn rule(then: Ruling) -> Rule {
    Rule {
        role: None,
        deed: None,
        path: None,
        command: None,
        exact: false,
        then,
    }
}

fn of_path(path: &str, then: Ruling) -> Rule {
    Rule {
        path: Some(path.to_owned()),
        ..rule(then)
    }
}

fn of_command(command: &str, then: Ruling) -> Rule {
    Rule {
        deed: Some(Deed::Execute),
        command: Some(command.to_owned()),
        ..rule(then)
    }
}

#[test]
fn without_a_rule_an_agent_may_do_in_its_workspace_what_it_likes() {
    let place = Place::new();
    let real = place.path("work/docs/new.md");
    for path in ["docs/a.md", "./docs//a.md", "docs/../b", ".", &real] {
        for deed in [Deed::Read, Deed::Edit, Deed::Delete] {
            place.check(of_files(deed, &[path]), &[], Ruling::Allow);
        }
    }
    place.check(edit(&place.path("granted/x")), &[], Ruling::Allow);
    place.check(run("make; rm -rf ."), &[], Ruling::Allow);
    place.check(of_files(Deed::Fetch, &[]), &[], Ruling::Allow);
    place.check(of_files(Deed::Other, &[]), &[], Ruling::Ask);
}

#[test]
fn whoever_does_not_say_which_files_asks() {
    let place = Place::new();
    for deed in [Deed::Read, Deed::Edit, Deed::Delete] {
        place.check(of_files(deed, &[]), &[], Ruling::Ask);
    }
}

#[test]
fn whatever_leads_out_of_the_workspace_is_beyond_it() {
    let place = Place::new();
    let sly = [
        "../beyond/x",
        "docs/../../beyond/x",
        "/etc/passwd",
        "out/x",
        "out/sub/../../beyond/x",
        "docs/../out/x",
        // As it reads it is within, and the system follows it elsewhere: `out/..` is `root`.
        "out/../beyond/x",
    ];
    for path in sly {
        place.check(of_files(Deed::Read, &[path]), &[], Ruling::Ask);
        place.check(edit(path), &[], Ruling::Deny);
        place.check(of_files(Deed::Delete, &[path]), &[], Ruling::Deny);
    }
    // Nobody's writes are confined: then the owner says.
    let (ruled, _) = place.ruled_as(&edit("/etc/passwd"), &[], None, true);
    assert_eq!(ruled.ruling, Ruling::Ask);
    // Where it leads cannot be told.
    let long = "a/".repeat(3_000);
    let deep = "a/".repeat(300);
    for path in ["~/x", "dangling/x", "loop/x", "a\0b", &long, &deep] {
        place.check(edit(path), &[], Ruling::Ask);
    }
}

#[test]
fn the_first_rule_that_fits_counts() {
    let place = Place::new();
    let rules = [
        of_path("docs/private/**", Ruling::Ask),
        of_path("docs/**", Ruling::Allow),
        of_path("**", Ruling::Deny),
    ];
    place.check(edit("docs/a.md"), &rules, Ruling::Allow);
    place.check(edit("docs/private/a.md"), &rules, Ruling::Ask);
    place.check(edit("src/a.rs"), &rules, Ruling::Deny);
    let ruled = place.ruled(&edit("src/a.rs"), &rules);
    assert_eq!(ruled.because, "the rule path: \"**\", then: deny");
    // A pattern beneath the workspace says nothing of what is beyond it.
    place.check(of_files(Deed::Read, &["/etc/passwd"]), &rules, Ruling::Ask);
    let absolute = [of_path("/etc/*", Ruling::Allow)];
    place.check(
        of_files(Deed::Read, &["/etc/passwd"]),
        &absolute,
        Ruling::Allow,
    );
    place.check(
        of_files(Deed::Read, &["etc/passwd"]),
        &absolute,
        Ruling::Allow,
    );
}

#[test]
fn of_several_files_the_strictest_counts() {
    let place = Place::new();
    let rules = [of_path("secrets/**", Ruling::Deny)];
    place.check(
        of_files(Deed::Edit, &["a.md", "b.md"]),
        &rules,
        Ruling::Allow,
    );
    place.check(
        of_files(Deed::Edit, &["a.md", "secrets/key", "b.md"]),
        &rules,
        Ruling::Deny,
    );
    place.check(
        of_files(Deed::Read, &["a.md", "/etc/hosts"]),
        &rules,
        Ruling::Ask,
    );
}

#[test]
fn links_and_detours_get_past_no_rule() {
    let place = Place::new();
    let rules = [of_path("secrets/**", Ruling::Deny)];
    for path in [
        "secrets/key",
        "docs/../secrets/key",
        "plain/key",
        "docs/../plain/key",
        // Removing the folder removes what is in it.
        "secrets",
        "plain",
    ] {
        place.check(edit(path), &rules, Ruling::Deny);
        place.check(of_files(Deed::Delete, &[path]), &rules, Ruling::Deny);
    }
    // What allows must allow where it leads, too.
    let allows = [
        of_path("plain/**", Ruling::Allow),
        of_path("**", Ruling::Ask),
    ];
    place.check(edit("plain/key"), &allows, Ruling::Ask);
    // Who does not say which files it means may mean any.
    place.check(of_files(Deed::Edit, &[]), &rules, Ruling::Deny);
    place.check(edit("~/key"), &rules, Ruling::Deny);
    let allows = [of_path("**", Ruling::Allow), rule(Ruling::Deny)];
    place.check(of_files(Deed::Edit, &[]), &allows, Ruling::Deny);
}

#[test]
fn paths_are_put_as_rules_see_them() {
    let place = Place::new();
    let paths = ["docs/../a.md", "plain/key", "out/x", "~/x"];
    let (_, seen) = place.ruled_as(&of_files(Deed::Edit, &paths), &[], None, false);
    let beyond = place.path("beyond/x");
    assert_eq!(seen, ["a.md", "secrets/key", beyond.as_str(), "~/x"]);
}

#[test]
fn a_rule_is_for_its_role_and_its_deed() {
    let place = Place::new();
    let of_role = |role: &str| {
        [Rule {
            role: Some(role.to_owned()),
            ..rule(Ruling::Deny)
        }]
    };
    for role in ["web/developer", "web", "developer"] {
        place.check(edit("a"), &of_role(role), Ruling::Deny);
    }
    for role in ["data", "dev", "web/tester"] {
        place.check(edit("a"), &of_role(role), Ruling::Allow);
    }
    let (ruled, _) = place.ruled_as(&edit("a"), &of_role("web"), None, false);
    assert_eq!(ruled.ruling, Ruling::Allow, "who has no role is not meant");
    let of_deed = [Rule {
        deed: Some(Deed::Delete),
        ..rule(Ruling::Deny)
    }];
    place.check(edit("a"), &of_deed, Ruling::Allow);
    place.check(of_files(Deed::Delete, &["a"]), &of_deed, Ruling::Deny);
}

#[test]
fn what_allows_a_command_allows_that_one_alone() {
    let place = Place::new();
    let rules = [of_command("git log", Ruling::Allow), rule(Ruling::Deny)];
    for command in ["git log", "git log -3", "  git log --oneline"] {
        place.check(run(command), &rules, Ruling::Allow);
    }
    for command in [
        "git logs",
        "git log; rm -rf /",
        "git log && git push",
        "git log | sh",
        "git log $(rm x)",
        "git log `rm x`",
        "git log > ../x",
        "git log\nrm x",
        "env git log",
    ] {
        place.check(run(command), &rules, Ruling::Deny);
    }
    // One that was allowed as a whole is allowed as that whole.
    let whole = [
        of_command("make && make test", Ruling::Allow),
        rule(Ruling::Deny),
    ];
    place.check(run("make && make test"), &whole, Ruling::Allow);
    place.check(run("make && make test && rm x"), &whole, Ruling::Deny);
}

#[test]
fn what_forbids_a_command_is_looked_for_in_the_whole_line() {
    let place = Place::new();
    let rules = [of_command("git push", Ruling::Deny)];
    for command in [
        "git push",
        "cd x && git push -f",
        "true; git push",
        "(git push)",
        "A=1 B=2 git push origin",
        "echo $(git push)",
        "make\ngit push",
    ] {
        place.check(run(command), &rules, Ruling::Deny);
    }
    for command in ["git pushed", "git pull", "echo git push"] {
        place.check(run(command), &rules, Ruling::Allow);
    }
    // Where there is no command line, what it is called is looked at.
    let fetch = Rule {
        deed: Some(Deed::Fetch),
        command: Some("https://docs.rs/".to_owned()),
        ..rule(Ruling::Allow)
    };
    let bare = Rule {
        command: Some("https://docs.rs".to_owned()),
        ..fetch.clone()
    };
    let of_url = |url: &str| Request {
        title: url.to_owned(),
        ..of_files(Deed::Fetch, &[])
    };
    for allows in [fetch, bare] {
        let rules = [allows, rule(Ruling::Deny)];
        for below in ["serde", "x?a=1&b=2;c=$d"] {
            let url = format!("https://docs.rs/{below}");
            place.check(of_url(&url), &rules, Ruling::Allow);
        }
        for other in [
            ".evil.example/",
            "@evil.example/",
            ":99@evil.example/",
            "&@evil.example/",
            " @evil.example/",
            "&x.evil.example/",
            "\\@evil.example/",
            "x/",
        ] {
            let url = format!("https://docs.rs{other}");
            place.check(of_url(&url), &rules, Ruling::Deny);
        }
    }
    for below in ["https://docs.rs/serde", "https://docs.rs/serde/"] {
        let allows = Rule {
            deed: Some(Deed::Fetch),
            command: Some(below.to_owned()),
            ..rule(Ruling::Allow)
        };
        let rules = [allows, rule(Ruling::Deny)];
        for rest in ["", "/latest/a..b", "/?up=/../", "/x&y", "/x#/../"] {
            let url = format!("https://docs.rs/serde{rest}");
            let ruling = match url.starts_with(below) {
                true => Ruling::Allow,
                false => Ruling::Deny,
            };
            place.check(of_url(&url), &rules, ruling);
        }
        for up in [
            "..",
            "x/../../tokio",
            "%2E./tokio",
            "..\\tokio",
            ".\t./tokio",
        ] {
            let url = format!("https://docs.rs/serde/{up}");
            place.check(of_url(&url), &rules, Ruling::Deny);
        }
    }
}

#[test]
fn a_rule_that_a_person_added_fits_what_it_was_made_of() {
    let place = Place::new();
    let odd = "docs/[a]{b}*.md";
    let requests = [
        edit("docs/a.md"),
        edit(odd),
        run("make && make test"),
        run("ls"),
    ];
    for request in requests {
        for then in [Ruling::Allow, Ruling::Deny] {
            let rules = Rule::like(&request, Some("web/developer"), then);
            place.check(request.clone(), &rules, then);
        }
    }
    let rules = Rule::like(&edit(odd), None, Ruling::Deny);
    place.check(edit("docs/ab.md"), &rules, Ruling::Allow);
}

#[test]
fn a_rule_that_a_person_added_fits_nothing_else() {
    let place = Place::new();
    let role = Some("web/developer");
    let of = |request: &Request| {
        [
            Rule::like(request, role, Ruling::Allow),
            vec![rule(Ruling::Deny)],
        ]
        .concat()
    };
    for (allowed, other) in [
        ("rm -rf target", "rm -rf target /home/me"),
        ("git push", "git push --force"),
        ("ls", "ls -l"),
    ] {
        place.check(run(other), &of(&run(allowed)), Ruling::Deny);
    }
    place.check(edit("docs/b.md"), &of(&edit("docs/a.md")), Ruling::Deny);
    // An answer to a task without a role is for tasks without one, and the other way round.
    for (asked_as, asks_as) in [(None, role), (role, None), (role, Some("web/tester"))] {
        let mut rules = Rule::like(&run("ls"), asked_as, Ruling::Allow);
        rules.push(rule(Ruling::Deny));
        let (ruled, _) = place.ruled_as(&run("ls"), &rules, asks_as, false);
        assert_eq!(ruled.ruling, Ruling::Deny, "{asked_as:?} {asks_as:?}");
        let (ruled, _) = place.ruled_as(&run("ls"), &rules, asked_as, false);
        assert_eq!(ruled.ruling, Ruling::Allow, "{asked_as:?}");
    }
}
