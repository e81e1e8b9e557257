//! Wordings of the kinds that a fourth fifty showed, written before those were mended: what stands in
//! quotations, templates of issues, titles and answers, and requests of which no rule knows the verb.

use super::*;

/// Each with the roles and titles of its tasks.
const REQUESTS: &[(&str, &[&str])] = &[
    // Questions that are answered with no.
    (
        "1. Rename the flag\n2. Tell the users? No, support does that\n3. Update the changelog",
        &[
            "development/implementation: Rename the flag",
            "development/documentation: Update the changelog",
        ],
    ),
    (
        "- Add paging to the order list\n- Write tests? Nope, QA has them\n- Document the parameter in README.md",
        &[
            "development/implementation: Add paging to the order list",
            "development/documentation: Document the parameter in README.md",
        ],
    ),
    (
        "1. Rename the flag\n2. Tell the users? No, write a migration guide\n3. Update the changelog",
        &[
            "development: 1. Rename the flag 2. Tell the users? No, write a migration guide 3. Update the changelog",
        ],
    ),
    (
        "- Could you update the docs? No rush.\n- Add a flag to src/main.rs",
        &["development: - Could you update the docs? No rush. - Add a flag to src/main.rs"],
    ),
    // What was done, tried or rejected is no work.
    (
        "Add a flag to src/main.rs.\n\nAlready done:\n- update README.md\n\nWhat I tried:\n- change src/old.rs",
        &["development/implementation: Add a flag to src/main.rs"],
    ),
    (
        "Fix the race between requests and add tests",
        &[
            "development/implementation: Fix the race between requests",
            "development/test: Add tests",
        ],
    ),
    // Items with a title, and with what only says why.
    (
        "1. Caching\n   We had three outages last week. Cache the price list for ten minutes.\n\n2. Docs\n   A page in the handbook on how the cache is emptied.",
        &[
            "development/implementation: Caching: Cache the price list for ten minutes",
            "development/documentation: Docs: A page in the handbook on how the cache is emptied",
        ],
    ),
    (
        "- We lost two orders last night. Retry failed webhooks three times.\n- Write a test for the retries.",
        &[
            "development/implementation: Retry failed webhooks three times",
            "development/test: Write a test for the retries",
        ],
    ),
    (
        "Lobby:\n- owner\n    - can close the room\n    - can mute a player\n- chat\n    - link previews",
        &[
            "development/implementation: Owner: can close the room",
            "development/implementation: Owner: can mute a player",
            "development/implementation: Chat: link previews",
        ],
    ),
    // Templates of issues.
    (
        "**Describe the bug**\nThe export stops after 100 rows.\n\n**To Reproduce**\nExport the demo project.\n\n**Expected behavior**\nAll rows are there.",
        &[
            "development: **Describe the bug** The export stops after 100 rows. **To Reproduce** Export the demo project. **Ex…",
        ],
    ),
    (
        "**Describe the bug**\nThe clock is an hour late in winter.\n\n**Describe the solution you'd like**\nUse the zone of the user, and add tests for both zones.",
        &[
            "development/implementation: Use the zone of the user",
            "development/test: Add tests for both zones",
        ],
    ),
    // What others said.
    (
        "> Mia: the totals are wrong again\n> Ben: yes, deploy day was a mess\n\nFix the rounding of the totals. Add tests for it.",
        &[
            "development/implementation: Fix the rounding of the totals",
            "development/test: Add tests for it",
        ],
    ),
    (
        "> Could you also translate the mails?\n\nAdd a language switch to the profile. Write tests for it.",
        &[
            "development: > Could you also translate the mails? Add a language switch to the profile. Write tests for it",
        ],
    ),
    (
        "> Fix the login.\n> Write tests for it.",
        &[
            "development/implementation: Fix the login",
            "development/test: Write tests for it",
        ],
    ),
    // What an `it` stands for.
    (
        "the avatar is stretched, replace it w/ a round one. then write a test for square pictures",
        &[
            "development/implementation: Avatar is stretched, replace it w/ a round one",
            "development/test: Write a test for square pictures",
        ],
    ),
    (
        "Find out whether the index helps, and if it does, add it to the migration.",
        &[
            "development/implementation: Find out whether the index helps",
            "development/implementation: If it does, add it to the migration",
        ],
    ),
    // Phrases that one word divided.
    (
        "A choice between polling and pushing events, written up in docs/adr/0004-events.md. No code yet.",
        &[
            "development/documentation: Choice between polling and pushing events, written up in docs/adr/0004-events.md",
        ],
    ),
    (
        "Begin with the question whether the cache is used at all. Then remove it.",
        &[
            "development/planner: Begin with the question whether the cache is used at all",
            "development/implementation: Remove it",
        ],
    ),
    (
        "Start by finding out why the login takes ten seconds, then fix that.",
        &[
            "development/implementation: Start by finding out why the login takes ten seconds",
            "development/implementation: Fix that",
        ],
    ),
    (
        "- add rooms with a password\n- load test with 500 players",
        &[
            "development/implementation: Add rooms with a password",
            "development/performance: Load test with 500 players",
        ],
    ),
    // Whose work it is.
    (
        "Proofread docs/intro.md and mail me your comments.",
        &["development/documentation: Proofread docs/intro.md and mail me your comments"],
    ),
    (
        "Review src/main.rs and send me a list of the risks.",
        &["development/implementation: Review src/main.rs and send me a list of the risks"],
    ),
    (
        "Add a --dry-run flag, and a chapter in the manual on how to use it.",
        &[
            "development/implementation: Add a --dry-run flag",
            "development/documentation: Add a chapter in the manual on how to use it",
        ],
    ),
    (
        "Write a press release and a FAQ for version 3.",
        &["development/documentation: Write a press release and a FAQ for version 3"],
    ),
    (
        "Choose the currency by the country of the visitor. Write tests for three countries.",
        &[
            "development/implementation: Choose the currency by the country of the visitor",
            "development/test: Write tests for three countries",
        ],
    ),
    // What no rule knows.
    (
        "Shrink the thumbnails to 200 pixels",
        &["development: Shrink the thumbnails to 200 pixels"],
    ),
    (
        "Die Suche findet keine Umlaute, bitte beheben und Tests ergänzen",
        &["development: Die Suche findet keine Umlaute, bitte beheben und Tests ergänzen"],
    ),
    (
        "The totals have been wrong since Monday",
        &["development: The totals have been wrong since Monday"],
    ),
    (
        "Automate the renewal of the certificates",
        &["development: Automate the renewal of the certificates"],
    ),
];

#[test]
fn wordings_of_the_kinds_of_a_fourth_fifty_are_planned_as_meant() {
    let wrong = REQUESTS.iter().filter_map(|(text, expected)| {
        let planned = planned(text);
        let tasks = planned.plan.tasks.iter();
        let tasks =
            tasks.map(|task| format!("{}: {}", task.role().unwrap_or_default(), task.title));
        let tasks: Vec<String> = tasks.collect();
        (tasks != *expected).then(|| format!("{text}\n  {tasks:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is looked at stays, and who looks says what was found elsewhere.
#[test]
fn what_is_proofread_is_not_what_is_made() {
    for text in [
        "Proofread docs/intro.md and mail me your comments.",
        "Proofread README.md and send me your remarks as a list.",
    ] {
        let planned = planned(text);
        let [task] = &planned.plan.tasks[..] else {
            panic!("one task: {:#?}", planned.plan);
        };
        assert_eq!(task.kind, TaskKind::Review, "{text}");
        assert!(task.deliverables[0].path.starts_with("review/"), "{text}");
    }
}

/// A file whose name is perhaps mistyped is nothing that a task promises.
#[test]
fn a_file_that_is_not_there_is_no_promise_where_no_verb_is_known() {
    let planned = planned("udpate the versions in requirments.txt to the latest ones");
    assert_eq!(planned.plan.tasks[0].deliverables, []);
}

#[test]
fn what_is_there_and_stays_is_excluded() {
    let text =
        "Add a streaming variant of the parser: the existing functions stay. Write tests for it.";
    let read = request::read(text);
    let excluded: Vec<&str> = read.exclusions.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(excluded, ["the existing functions stay"]);
    // Of what is said to go somewhere, nothing is.
    assert_eq!(
        request::read("Sort the list, the existing rows stay on top").exclusions,
        []
    );
}

#[test]
fn what_only_greets_is_no_request() {
    for text in ["hello", "hi there you", "thanks"] {
        assert!(reasons(text)[0].starts_with("no word says"), "{text}");
    }
}
