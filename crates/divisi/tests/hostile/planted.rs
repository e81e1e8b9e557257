//! Agents that plant what git would execute: hooks, a file system monitor, filters, configuration.

use serde_json::json;

use crate::stage::{Stage, git};

/// Plants everything that git executes, each with a command that leaves a mark.
fn planting(mark: &str) -> String {
    let run = format!("touch {mark}");
    format!(
        r##"set +e
        gitdir=$(git rev-parse --absolute-git-dir 2>/dev/null || echo .git)
        for dir in .git "$gitdir" hooks .githooks; do
            mkdir -p "$dir/hooks" 2>/dev/null || continue
            for hook in pre-commit post-commit post-checkout post-merge pre-push post-index-change \
                        reference-transaction prepare-commit-msg commit-msg post-rewrite fsmonitor-watchman; do
                printf '#!/bin/sh\n{run}\n' > "$dir/hooks/$hook" 2>/dev/null && chmod +x "$dir/hooks/$hook" || :
            done
        done
        config='[core]
            fsmonitor = {run}
            hooksPath = hooks/hooks
            pager = {run}
            editor = {run}
            sshCommand = {run}
            attributesFile = .gitattributes
        [filter "evil"]
            clean = {run}; cat
            smudge = {run}; cat
            process = {run}
            required = false
        [diff "evil"]
            command = {run}
            textconv = {run}
        [merge "evil"]
            driver = {run}
        [diff]
            external = {run}
        [alias]
            status = !{run}
        [credential]
            helper = !{run}
        [uploadpack]
            packObjectsHook = {run}'
        for file in .git/config "$gitdir/config" "$gitdir/config.worktree" .gitconfig "$HOME/.gitconfig"; do
            (printf '%s\n' "$config" >> "$file") 2>/dev/null || :
        done
        printf '* filter=evil diff=evil merge=evil\n' > .gitattributes
        mkdir -p "$gitdir/info" && printf '* filter=evil diff=evil merge=evil\n' > "$gitdir/info/attributes" || :
        printf '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c {quoted}\n\tupdate = !{run}\n' > .gitmodules
        "##,
        quoted = run.replace(' ', "%20"),
    )
}

#[test]
fn nothing_that_an_agent_plants_is_ever_executed() {
    let stage = Stage::git(&[("a", "1\n"), ("b", "1\n")]);
    let mark = stage.beside("mark").display().to_string();
    let script = format!("{}\necho planted > x.md; echo 2 >> a", planting(&mark));
    // Both change `a`'s neighborhood, so that there is something to merge, diff and check out.
    let plan = json!({"task_title": "it plants", "subtasks": [
        {"subtask_id": "planter", "script": script, "deliverables": ["x.md"]},
        {"subtask_id": "beside", "script": "echo 2 >> b", "criteria": [{"matches": "^2$", "in": "b"}]},
        {"subtask_id": "after", "script": "git status >/dev/null 2>&1 || :; cat x.md > y.md",
         "deliverables": ["y.md"], "dependencies": ["planter", "beside"],
         "criteria": [{"command": ["test", "-s", "y.md"]}, {"scope": ["y.md"]}]},
    ]});
    // Where it is confined it can plant in its workspace only; that is what Divisi touches again.
    stage.run(&plan, &[]).expect(0);
    let is_unmarked = |when: &str| {
        assert!(
            !stage.beside("mark").exists(),
            "{when}: something planted was executed"
        );
    };
    is_unmarked("in the run");
    for args in [
        &["diff", "1"][..],
        &["diff", "1", "planter"],
        &["gc"],
        &["merge", "1"],
    ] {
        stage.divisi(args);
        is_unmarked(args[0]);
    }
    // In the user's repository: before the result is merged, and after.
    git(stage.project(), &["status"]);
    is_unmarked("in the user's repository before");
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    is_unmarked("while it is merged");
    let merged = std::fs::read_to_string(stage.path("y.md"));
    assert_eq!(merged.unwrap(), "planted\n", "it was merged");
    git(stage.project(), &["status"]);
    std::fs::write(stage.path("c"), "1\n").unwrap();
    git(stage.project(), &["add", "--all"]);
    git(stage.project(), &["commit", "-q", "-m", "after"]);
    git(stage.project(), &["diff", "HEAD~1"]);
    git(stage.project(), &["checkout", "-q", "-b", "other"]);
    is_unmarked("in the user's repository afterwards");
}

#[test]
fn a_second_run_after_planting_executes_nothing_either() {
    // What was planted outside a workspace, where nothing confined it, must not serve later.
    let stage = Stage::git(&[("a", "1\n")]);
    let mark = stage.beside("mark").display().to_string();
    let repo = stage.path(".divisi/repo.git").display().to_string();
    let script = format!(
        "{}
        for hook in reference-transaction post-update update; do
            printf '#!/bin/sh\\ntouch {mark}\\n' > {repo}/hooks/$hook 2>/dev/null || mkdir -p {repo}/hooks 2>/dev/null || :
            printf '#!/bin/sh\\ntouch {mark}\\n' > {repo}/hooks/$hook 2>/dev/null && chmod +x {repo}/hooks/$hook || :
        done
        echo x > x.md",
        planting(&mark)
    );
    let plan = json!({"task_title": "it plants", "subtasks": [
        {"subtask_id": "planter", "script": script, "deliverables": ["x.md"]},
        {"subtask_id": "after", "script": "echo y > y.md", "deliverables": ["y.md"], "dependencies": ["planter"]},
    ]});
    stage.run(&plan, &["--unconfined"]).expect(0);
    let plan = json!({"task_title": "afterwards", "subtasks": [
        {"subtask_id": "a", "script": "echo z > z.md", "deliverables": ["z.md"],
         "criteria": [{"command": ["test", "-s", "z.md"]}]},
    ]});
    stage.run(&plan, &["--include-dirty"]).expect(0);
    stage.divisi(&["merge", "1", "--yes"]).expect(0);
    assert!(
        !stage.beside("mark").exists(),
        "something planted was executed"
    );
}
