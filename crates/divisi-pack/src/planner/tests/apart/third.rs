//! A third fifty, written by somebody who knows neither the rules nor what they make of the others.

use super::Field::{Audit, Ci, Code, Design, Docs, Research, Review, Tests};
use super::{Apart, apart};

pub(super) const THIRD: &[Apart] = &[
    // Numbered lists.
    apart(
        "Smart-lock firmware, release 1.8:\n1. Replace the bit-banged SPI driver with the DMA one\n2. Retry the BLE pairing up to three times when it times out\n3. Unit tests for the battery-level estimation\n4. Add the new LED codes to docs/user-manual.md",
        &[Code, Tests, Docs],
        &["DMA", "BLE pairing", "battery-level", "LED codes"],
    ),
    apart(
        "1. Investigate why the map tiles flicker on Safari 17\n2. Fix the cause\n3. Add a Playwright test that would have caught it",
        &[Research, Code, Tests],
        &["map tiles", "Fix the cause", "Playwright"],
    )
    .order(&[("why the map tiles flicker", "Fix the cause")]),
    apart(
        "Boss fight polish (Godot):\n1) the second phase should start at 40% health instead of 50\n2) play the roar sound only once per phase\n3) camera shake must respect the accessibility setting\n4) test that the phase can't be skipped by burst damage",
        &[Code, Tests],
        &["40% health", "roar", "camera shake", "burst damage"],
    ),
    apart(
        "For the move to eu-central-1:\n1. design the VPC layout (subnets, peering with the old region)\n2. write the Terraform module for it\n3. have somebody else review the module\n4. runbook for the cut-over night",
        &[Design, Ci, Review, Docs],
        &["VPC layout", "Terraform", "review the module", "runbook"],
    )
    .order(&[
        ("design the VPC layout", "write the Terraform module"),
        ("write the Terraform module", "review the module"),
    ]),
    apart(
        "Left for gridpath 0.9 (1 and 2 are merged already):\n1. ~~port to edition 2024~~\n2. ~~feature-gate serde~~\n3. jump point search as an alternative to A*\n4. property tests: both find paths of the same cost\n5. an example in the crate docs",
        &[Code, Tests, Docs],
        &["jump point", "property tests", "example"],
    )
    .background(&["edition 2024", "feature-gate serde"]),
    // Bullet lists.
    apart(
        "Churn model, next round\n- find out which features leak the label\n- remove those from features.py\n- tests: no feature may use events after the cut-off date\n- a model card in docs/",
        &[Research, Code, Tests, Docs],
        &["leak the label", "features.py", "cut-off date", "model card"],
    )
    .order(&[("which features leak the label", "remove those from features.py")]),
    apart(
        "Checkout accessibility\n\n• labels for all form fields\n• focus must move to the first error after submit\n• disabled buttons need a contrast of at least 3:1",
        &[Code],
        &["labels", "focus", "contrast"],
    ),
    apart(
        "After Tuesday's outage we want:\n- an alert when the replica lag is above 30 s for 5 minutes\n- a runbook for promoting the replica\n- an audit of who still has superuser on the primary",
        &[Ci, Docs, Audit],
        &["replica lag", "promoting the replica", "superuser"],
    )
    .background(&["Tuesday's outage"]),
    apart(
        "iOS departures widget\n- small size\n  - show the next departure only\n  - a tap opens the stop\n- medium size\n  - show three departures\n- snapshot tests for both sizes, light and dark",
        &[Code, Tests],
        &["small size", "next departure", "opens the stop", "medium size", "three departures", "snapshot tests"],
    ),
    apart(
        "Handbook for new maintainers, please cover\n* how to cut a release\n* how we label issues\n* who to ask for access to the package registry",
        &[Docs],
        &["cut a release", "label issues", "package registry"],
    ),
    // Check lists.
    apart(
        "Workspace hygiene\n- [x] turn on clippy::pedantic\n- [x] delete the benches nobody runs\n- [ ] replace lazy_static with std::sync::LazyLock\n- [ ] run cargo-deny in the CI\n- [ ] explain the MSRV policy in the README",
        &[Code, Ci, Docs],
        &["lazy_static", "cargo-deny", "MSRV"],
    )
    .background(&["clippy::pedantic", "benches nobody runs"]),
    apart(
        "Museum kiosk\n* [ ] dim the screen after 2 minutes without a touch\n* [ ] hide the mouse cursor\n* [ ] integration test: it wakes up on touch\n\nDropped, so leave it out: landscape layout.",
        &[Code, Tests],
        &["dim the screen", "mouse cursor", "wakes up"],
    )
    .untouched(&["landscape layout"]),
    apart(
        "Add a dark mode to the settings page.\n\nDone when:\n- [ ] the toggle survives a reload\n- [ ] there is no flash of white at the start\n- [ ] axe reports no contrast errors",
        &[Code],
        &["dark mode", "survives a reload", "flash of white", "axe"],
    )
    .one(),
    // Issues with headings.
    apart(
        "### What happens\nUploading a HEIC photo from an iPhone shows a grey box in the album.\n\n### Steps to reproduce\n1. Open an album\n2. Upload IMG_0042.HEIC\n3. Wait for the thumbnail\n\n### Expected\nA thumbnail, as with JPEG.\n\n### Environment\nFirefox 128, server 5.1.3",
        &[Code],
        &["HEIC", "thumbnail"],
    )
    .one(),
    apart(
        "## Motivation\nThree users have asked for asyncio support since January. Today they wrap our client in threads.\n\n## Proposal\n- an `AsyncClient` with the same methods as `Client`\n- share the retry logic between the two\n- tests against the mock server\n- a migration guide\n\n## Non-goals\n- HTTP/3\n- dropping Python 3.9",
        &[Code, Tests, Docs],
        &["AsyncClient", "retry logic", "mock server", "migration guide"],
    )
    .untouched(&["HTTP/3", "Python 3.9"])
    .background(&["Three users have asked", "wrap our client in threads"]),
    apart(
        "# Why\nThe pump runs dry when the float switch sticks. Two customers lost a motor in March.\n\n# What\n- detect dry running from the motor current\n- stop the pump within 2 seconds and latch the fault\n- simulate a stuck switch in the hardware-in-the-loop tests\n\n# How we know that it works\nAll ten simulated runs end with a stopped pump and a latched fault.",
        &[Code, Tests],
        &["motor current", "latch the fault", "hardware-in-the-loop"],
    )
    .background(&["when the float switch sticks", "lost a motor in March", "All ten simulated runs"]),
    apart(
        "## Context\nOur events land in BigQuery. The bill has doubled since June.\n\n## Question\nWould ClickHouse on our own machines be cheaper at 2 TB a month? I want a recommendation with figures, no code.",
        &[Research],
        &["ClickHouse", "cheaper", "recommendation"],
    )
    .one(),
    apart(
        "Problem\n=======\nModerators get every report twice: once by mail, once in the queue.\n\nWanted\n======\n* one setting per moderator: mail, queue or both\n* the default for existing moderators stays \"both\"\n* a paragraph about it in the moderator guide",
        &[Code, Docs],
        &["one setting per moderator", "default for existing moderators", "moderator guide"],
    )
    .background(&["get every report twice"]),
    // Arrows, and a table.
    apart(
        "compare WebGPU and WebGL2 for the particle system -> prototype with the winner -> write up for the wiki how to add an emitter",
        &[Research, Code, Docs],
        &["WebGPU", "prototype", "emitter"],
    )
    .order(&[
        ("compare WebGPU and WebGL2", "prototype with the winner"),
        ("prototype with the winner", "how to add an emitter"),
    ]),
    apart(
        "Order of work: design the telemetry schema → implement the ingest job → document the columns for the analysts",
        &[Design, Code, Docs],
        &["telemetry schema", "ingest job", "document the columns"],
    )
    .order(&[
        ("design the telemetry schema", "implement the ingest job"),
        ("implement the ingest job", "document the columns"),
    ]),
    apart(
        "| Task | Done when |\n|---|---|\n| Port the ODE solver to f64 | the 12 reference cases agree to 1e-9 |\n| Add a test for stiff systems | it fails with the old solver |\n| Describe the step size control in docs/solver.md | a newcomer can follow it |",
        &[Code, Tests, Docs],
        &["ODE solver", "stiff systems", "step size control"],
    ),
    // Single sentences.
    apart(
        "Let users undo their last bulk delete and send them an e-mail that lists what was brought back.",
        &[Code],
        &["undo", "e-mail"],
    ),
    apart(
        "Rename `fetch_all` to `fetch_pages` throughout the client and mention the rename in UPGRADING.md.",
        &[Code, Docs],
        &["fetch_pages", "UPGRADING.md"],
    ),
    apart(
        "Fix the off-by-one in `Ring::drain` and add a property test for it",
        &[Code, Tests],
        &["Ring::drain", "property test"],
    ),
    apart(
        "Document the error codes, the webhooks and the sandbox accounts of the public API.",
        &[Docs],
        &["error codes", "webhooks", "sandbox accounts"],
    ),
    apart(
        "As a librarian I want to merge two duplicate patron records so that fines aren't charged twice.",
        &[Code],
        &["merge two duplicate patron records"],
    )
    .one(),
    apart(
        "Compare the three YAML parsers that we could use (speed, licence, last release) and recommend one.",
        &[Research],
        &["YAML parsers", "recommend"],
    )
    .one(),
    // Prose.
    apart(
        "Players with slow laptops report that the river level drops to 15 fps. I profiled it, and nearly all the time goes into the water shader. Lower the tessellation with the distance and skip the reflection pass on the \"low\" preset. Please also write a short note for modders about the new preset options.",
        &[Code, Docs],
        &["tessellation", "reflection pass", "modders"],
    )
    .background(&["Players with slow laptops", "I profiled it", "nearly all the time"]),
    apart(
        "Hi! I run a small recipe site. Ingredients are stored as free text, which makes it impossible to scale the portions. Could you parse them into quantity, unit and name, and show a portion slider on the recipe page? Tests of the parser with odd inputs (\"a pinch\", \"1 1/2\") would be great. Thanks a lot!",
        &[Code, Tests],
        &["quantity", "portion slider", "odd inputs"],
    )
    .background(&["I run a small recipe site", "stored as free text", "Thanks a lot"]),
    apart(
        "Our three services run under docker compose on a single VM, and that VM is getting old. Write Helm charts for the api, the worker and the scheduler. The secrets have to come from Vault instead of values.yaml. The CI should lint the charts on every pull request.",
        &[Ci],
        &["Helm charts", "Vault", "lint the charts"],
    )
    .background(&["on a single VM", "getting old"]),
    apart(
        "I started a rewrite of the importer in March and gave up, forget that branch. What I want now is much smaller: skip empty lines, trim the header names and report the line number with every error. One test for each of the three.",
        &[Code, Tests],
        &["empty lines", "header names", "line number", "One test for each"],
    )
    .background(&["rewrite of the importer", "forget that branch"]),
    apart(
        "Last week's pentest showed that session tokens live forever. Expire them after 12 hours without activity and let users revoke their sessions in the profile. Afterwards do a security audit of the whole session handling.",
        &[Code, Audit],
        &["12 hours", "revoke their sessions", "security audit"],
    )
    .order(&[("Expire them after 12 hours", "security audit of the whole session handling")])
    .background(&["Last week's pentest", "tokens live forever"]),
    // Questions, and what asks for an answer only.
    apart(
        "Which of our endpoints can be reached without a token? Just the list please, don't change anything.",
        &[Research, Audit, Review],
        &["without a token"],
    )
    .one(),
    apart(
        "Why does `make flash` need sudo on Linux but not on macOS? I only want to understand it.",
        &[Research],
        &["make flash"],
    )
    .one(),
    apart(
        "Can we drop Ruby 3.0? Check what our gems still require and tell me what would break.",
        &[Research],
        &["Ruby 3.0", "gems", "what would break"],
    )
    .one(),
    // What is forbidden.
    apart(
        "Speed up `parse_header` in src/wire.c. Nothing else may change, neither wire.h nor any of the callers.",
        &[Code],
        &["parse_header"],
    )
    .one()
    .untouched(&["wire.h"]),
    apart(
        "Show the customer's VAT number on the invoice PDF and add a snapshot test for it. Hands off the e-mail templates and legacy/billing.",
        &[Code, Tests],
        &["VAT number", "snapshot test"],
    )
    .untouched(&["e-mail templates", "legacy/billing"]),
    apart(
        "Split `UserService` into a reader and a writer. The REST contract is frozen, the database schema belongs to another team, and vendor/ is off limits.",
        &[Code],
        &["UserService"],
    )
    .untouched(&["REST contract", "database schema", "vendor/"]),
    apart(
        "Under no circumstances run or edit it: just review migrations/0042_split_address.sql and tell me what could lock the table.",
        &[Review, Research],
        &["0042_split_address"],
    )
    .one()
    .untouched(&["0042_split_address"]),
    // Approvals.
    apart(
        "Propose a new permission model for shared folders (roles, inheritance, links). Wait for my approval. Then implement it behind the flag `shared_v2` and write tests for the inheritance.",
        &[Design, Code, Tests],
        &["permission model", "approval", "shared_v2", "tests for the inheritance"],
    )
    .order(&[("Propose a new permission model", "implement it behind the flag")]),
    apart(
        "Upgrade Postgres 13 to 16 on staging, ask the ops lead for a sign-off, and only then upgrade production.",
        &[Ci],
        &["staging", "sign-off", "production"],
    )
    .order(&[("Upgrade Postgres 13 to 16 on staging", "upgrade production")]),
    // Words of order.
    apart(
        "Move the producers to Avro. Before that, compare the Confluent and the Apicurio schema registries and pick one. Once all producers are moved, delete the JSON code path.",
        &[Research, Code],
        &["producers to Avro", "Apicurio", "JSON code path"],
    )
    .order(&[
        ("compare the Confluent and the Apicurio", "Move the producers to Avro"),
        ("Move the producers to Avro", "delete the JSON code path"),
    ]),
    apart(
        "First write characterization tests for the tax calculation, afterwards extract it into its own package, and finally update the overview in docs/arch.md.",
        &[Tests, Code, Docs],
        &["characterization tests", "its own package", "docs/arch.md"],
    )
    .order(&[
        ("characterization tests", "extract it into its own package"),
        ("extract it into its own package", "update the overview in docs/arch.md"),
    ]),
    // Criteria in words.
    apart(
        "The cold start of the Android app must take less than 1.5 seconds on a Pixel 4a, as the median of ten runs, and the APK must not grow by more than 200 KB.",
        &[Code],
        &["cold start", "200 KB"],
    )
    .one(),
    // German and French.
    apart(
        "Bitte eine Exportfunktion für die Zeiterfassung bauen (CSV mit Semikolon), Tests dazu schreiben und das Ganze im Handbuch beschreiben. Die Lohnabrechnung darf dabei nicht angefasst werden.",
        &[Code, Tests, Docs],
        &["Exportfunktion", "Tests dazu", "Handbuch"],
    )
    .untouched(&["Lohnabrechnung"]),
    apart(
        "Ajouter la recherche par code postal à la carte des bornes de recharge :\n- champ de saisie avec complétion\n- centrer la carte sur le résultat\n- tests avec des codes inconnus\n\nNe pas toucher à l'écran de paiement.",
        &[Code, Tests],
        &["champ de saisie", "centrer la carte", "codes inconnus"],
    )
    .untouched(&["écran de paiement"]),
    apart(
        "Corrige la fuite de mémoire dans `decode_frame`, puis explique dans le CHANGELOG ce qui a changé.",
        &[Code, Docs],
        &["decode_frame", "CHANGELOG"],
    )
    .order(&[("fuite de mémoire dans `decode_frame`", "explique dans le CHANGELOG")]),
    // Typos, and what is vague or small.
    apart(
        "pls add a \"retrun to menu\" buton on teh pause screen, tests fro it, and updaet the controls page of the wiki",
        &[Code, Tests, Docs],
        &["pause screen", "tests fro it", "controls page"],
    ),
    apart(
        "The whole thing should just feel more modern",
        &[Code, Design, Research],
        &["modern"],
    )
    .one(),
    apart(
        "README says \"recieve\" in the second paragraph, should be \"receive\"",
        &[Docs],
        &["receive"],
    )
    .one(),
];
