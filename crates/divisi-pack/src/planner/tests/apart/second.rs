//! A second fifty, run once after the rules were mended.

use super::Field::{Audit, Ci, Code, Design, Docs, Research, Review, Tests};
use super::{Apart, apart};

pub(super) const SECOND: &[Apart] = &[
    apart(
        "Backup tool needs a restore command:\n1. design the on-disk manifest format\n2. implement `bk restore <snapshot> --to <dir>`\n3. tests for partial restores and corrupted chunks\n4. man page for the new command",
        &[Design, Code, Tests, Docs],
        &["manifest", "bk restore", "partial restores", "corrupted chunks", "man page"],
    ),
    apart(
        "## Context\nThe Android app has kept its location permission in the background since 4.2. Play Console flagged it last Thursday.\n\n## To do\n- drop ACCESS_BACKGROUND_LOCATION and use a foreground service while a ride is active\n- audit what other permissions we request but never use\n- update the privacy section of the store listing doc",
        &[Code, Audit, Docs],
        &["ACCESS_BACKGROUND_LOCATION", "foreground service", "permissions", "privacy section"],
    )
    .background(&["has kept its location permission in the background since 4.2", "Play Console flagged it last Thursday"]),
    apart(
        "Nightly orders pipeline, what's left for this sprint:\n\n- loader\n  - read parquet instead of csv\n  - skip files already in the checkpoint table\n  - parse the partition date from the path, not from the file's mtime\n- validator\n  - reject rows with a null order_id\n  - write rejected rows to the quarantine bucket with the reason in an extra column\n- tests\n  - a fixture with 3 good and 2 bad files\n  - a rerun must not duplicate rows",
        &[Code, Tests],
        &["parquet", "checkpoint", "partition date", "order_id", "quarantine", "fixture", "duplicate"],
    ),
    apart(
        "- [ ] move the runners from ubuntu-20.04 to 24.04\n- [ ] cache the pnpm store between jobs\n- [ ] split the e2e job in 4 shards\n- [x] drop node 16 from the matrix\n- [ ] write down in CONTRIBUTING.md how to rerun one shard",
        &[Ci, Docs],
        &["24.04", "pnpm", "shards", "CONTRIBUTING"],
    )
    .background(&["drop node 16 from the matrix"]),
    apart(
        "# Save slots\n\n## Work\n* three save slots with thumbnail and play time\n* autosave on entering a new zone\n* unit tests for slot overwriting\n\n## Notes\nToday there's just one file, save.dat, and people lose runs when a sibling plays. Steam Cloud picks up whatever is in the folder.",
        &[Code, Tests],
        &["thumbnail", "autosave", "overwriting"],
    )
    .background(&["Today there's just one file", "people lose runs when a sibling plays", "Steam Cloud picks up whatever is in the folder"]),
    apart(
        "ok so for the thermostat fw 2.3:\n1) debounce the rotary encoder, it skips steps\n2) store the setpoint in flash, max 1 write per minute pls\n3) watchdog for the i2c bus hang\n4) review the power-down path with fresh eyes, I don't trust it",
        &[Code, Review],
        &["debounce", "setpoint", "watchdog", "power-down"],
    ),
    apart(
        "Picking a date library for the scheduler package\n\n- compare Luxon, date-fns and the Temporal polyfill (size, tz support, maintenance)\n- propose an internal interface so we can swap later\n- migrate `recurrence.ts` to whatever wins\n- docs: one short page on how to handle time zones",
        &[Research, Design, Code, Docs],
        &["Luxon", "date-fns", "Temporal", "interface", "recurrence.ts", "time zones"],
    )
    .order(&[("compare Luxon", "migrate `recurrence.ts`")]),
    apart(
        "Docs site cleanup\n\n- [ ] rewrite the Getting Started page for v3\n- [ ] add a page on pagination\n- [ ] fix the broken links in the changelog\n- [ ] glossary: merge the two entries for \"shard\"",
        &[Docs],
        &["Getting Started", "pagination", "broken links", "glossary"],
    ),
    apart(
        "**Background**\nThe /export endpoint builds the whole CSV in memory before sending the first byte. With one customer's 2M rows the pod got OOM-killed twice in May, and both times the on-call person just restarted it. Support has been telling people to export month by month, which they hate.\n\n**Tasks**\n- stream the CSV row by row from a server-side cursor\n- add a `limit` query parameter, default 100k, and return 400 when it's above 5M\n- add a load test with 2M rows that fails when memory goes over 256 MB\n- update openapi.yaml with the new parameter\n\n**Out of scope**\n- the Excel export, it has its own rewrite planned",
        &[Code, Tests, Docs],
        &["server-side cursor", "limit", "load test", "256 MB", "openapi.yaml"],
    )
    .untouched(&["Excel export"])
    .background(&["builds the whole CSV in memory before sending the first byte", "the pod got OOM-killed twice in May", "Support has been telling people to export month by month", "it has its own rewrite planned"]),
    apart(
        "Pre-release of the payments SDK (Swift):\n1. Security audit of the keychain storage\n2. Fix whatever the audit rates high severity\n3. Review of the public API names\n4. Publish job in GitHub Actions that tags and pushes to CocoaPods",
        &[Audit, Code, Review, Ci],
        &["keychain", "high severity", "public API names", "CocoaPods"],
    )
    .order(&[("audit of the keychain", "Fix whatever")]),
    apart(
        "Add a --json flag to the status command with tests and docs",
        &[Code, Tests, Docs],
        &["--json", "tests", "docs"],
    ),
    apart(
        "Implement cursor pagination for GET /invoices, cover it with integration tests and document it in the API reference.",
        &[Code, Tests, Docs],
        &["cursor pagination", "integration tests", "API reference"],
    ),
    apart(
        "Design and implement an offline queue for the field-inspection app, plus tests.",
        &[Design, Code, Tests],
        &["offline queue", "tests"],
    ),
    apart(
        "Rate limit the login endpoint and audit the password reset flow.",
        &[Code, Audit],
        &["login endpoint", "password reset"],
    ),
    apart(
        "retry w/ backoff in the S3 uploader, unit tests, and a line in the changelog",
        &[Code, Tests, Docs],
        &["backoff", "unit tests", "changelog"],
    ),
    apart(
        "Set up a GitLab CI pipeline that builds the firmware for the ESP32 and STM32 boards, and write a README section on how to flash them.",
        &[Ci, Docs],
        &["ESP32", "STM32", "README", "flash"],
    ),
    apart(
        "Replace moment with dayjs in the storefront and the admin panel, and update the tests accordingly",
        &[Code, Tests],
        &["dayjs", "storefront", "admin panel", "tests"],
    ),
    apart(
        "Write a migration for the new `archived_at` column, backfill it from the events table, and add a test that old rows are still readable.",
        &[Code, Tests],
        &["archived_at", "backfill", "old rows"],
    ),
    apart(
        "Review the caching layer and propose a design for multi-region invalidation.",
        &[Review, Design],
        &["caching layer", "multi-region invalidation"],
    ),
    apart(
        "Add keyboard shortcuts for pause, mute and restart to the game",
        &[Code],
        &["pause", "mute", "restart"],
    ),
    apart(
        "Our search endpoint does a LIKE on three columns. It was fine with 10k products but we're at 900k now and p95 is above 4 seconds. Switch it to Postgres full text search with a GIN index. We also need regression tests on the ranking, and the README should explain how to rebuild the index.",
        &[Code, Tests, Docs],
        &["full text search", "GIN", "ranking", "README"],
    )
    .background(&["does a LIKE on three columns", "p95 is above 4 seconds"]),
    apart(
        "Users on iOS 17 keep telling us the app logs them out. We traced it to the refresh token being overwritten when two requests race. Serialise the refresh in TokenStore. Please add a test which fires ten parallel requests. Marie tried a lock in February but reverted it because of a deadlock.",
        &[Code, Tests],
        &["TokenStore", "parallel requests"],
    )
    .background(&["keep telling us the app logs them out", "We traced it to the refresh token being overwritten", "Marie tried a lock in February"]),
    apart(
        "The ETL from Salesforce has been running on Marcel's laptop since 2021, no joke. Rewrite it as an Airflow DAG with a daily schedule. It should post to #data-ops when a run fails. Someone should also write a runbook for backfills.",
        &[Code, Docs],
        &["Airflow", "#data-ops", "runbook"],
    )
    .background(&["has been running on Marcel's laptop since 2021"]),
    apart(
        "Playtesters got stuck in the second cave because the lever looks like scenery. Add an outline shader to interactive objects when the player is within 2 metres. The hint system from the demo was removed in 0.8. Also write up in the wiki which objects count as interactive.",
        &[Code, Docs],
        &["outline shader", "wiki"],
    )
    .background(&["Playtesters got stuck in the second cave", "The hint system from the demo was removed in 0.8"]),
    apart(
        "Right now `parse()` throws a plain Error with a string. Downstream people regex on the message, which broke them twice this year. I'd like typed error classes with a code property. Existing messages must stay byte-identical. Cover each class with a test and list the codes in docs/errors.md.",
        &[Code, Tests, Docs],
        &["typed error classes", "code property", "test", "docs/errors.md"],
    )
    .untouched(&["Existing messages"])
    .background(&["throws a plain Error with a string", "Downstream people regex on the message", "Existing messages must stay byte-identical"]),
    apart(
        "We've got 14 cron jobs spread over three VMs and nobody really knows which ones still matter. Last month the statement mailer silently died and it took us nine days to notice, because the only monitoring is a log file that nobody opens. Investigate each job and tell us which ones are dead. For those still alive, write Kubernetes CronJob manifests and deploy them to staging. I asked the two people who set this up, but one left and the other doesn't remember much. A short page on how to add a new job would help the next person.",
        &[Research, Ci, Docs],
        &["Investigate each job", "CronJob manifests", "staging", "how to add a new job"],
    )
    .order(&[("Investigate each job", "CronJob manifests")])
    .background(&["14 cron jobs spread over three VMs", "the statement mailer silently died", "I asked the two people who set this up"]),
    apart(
        "The bootloader accepts any image with a valid CRC. That was a known shortcut for the prototype, but now we ship to paying customers. Verify an Ed25519 signature before jumping to the app. Have the whole update path audited too, and add a hardware-in-the-loop test with a tampered image.",
        &[Code, Audit, Tests],
        &["Ed25519", "update path", "tampered image"],
    )
    .background(&["accepts any image with a valid CRC", "That was a known shortcut for the prototype"]),
    apart(
        "hey so the csv improt is super slow again, took 40 min for Lena yestreday. can you batch the inserts, 500 at a time or so. and while ur there show a progess bar. tests would be nice too",
        &[Code, Tests],
        &["inserts", "bar", "tests"],
    )
    .background(&["took 40 min for Lena yestreday"]),
    apart(
        "The docs are built with Sphinx and take eleven minutes. Most of that is the API autodoc, which regenerates everything each time. Cache the autodoc output in the CI pipeline. I also want a PR preview deployed for every docs branch.",
        &[Ci],
        &["autodoc output", "PR preview"],
    )
    .background(&["take eleven minutes", "which regenerates everything each time"]),
    apart(
        "`deploy` asks for confirmation even when stdin isn't a terminal. That hangs our Jenkins jobs until the 1h timeout. It used to be ok in 1.9. Detect a non-tty and fail with exit code 3 unless --yes is given; add tests for both cases; mention it in the upgrade notes.",
        &[Code, Tests, Docs],
        &["non-tty", "exit code 3", "tests for both cases", "upgrade notes"],
    )
    .background(&["asks for confirmation even when stdin isn't a terminal", "That hangs our Jenkins jobs", "It used to be ok in 1.9"]),
    apart(
        "The accessibility consultants came by last week and handed us a 40 page report. The three blockers are the focus trap in the checkout modal, missing labels on the address form and the contrast of the price tags. Please fix all three. There's no budget for more this quarter, so the rest of the report waits.",
        &[Code],
        &["focus trap", "labels", "contrast"],
    )
    .background(&["handed us a 40 page report", "There's no budget for more this quarter", "the rest of the report waits"]),
    apart(
        "Our S3 bucket policies date from 2018. A pentester listed half of them in ten minutes. Audit the policies in the three accounts and report what is public. Then block public access wherever it isn't needed. The marketing-assets bucket has to stay as it is.",
        &[Audit, Ci],
        &["three accounts", "block public access"],
    )
    .untouched(&["marketing-assets bucket"])
    .order(&[("Audit the policies", "block public access")])
    .background(&["date from 2018", "A pentester listed half of them", "The marketing-assets bucket has to stay as it is"]),
    apart(
        "Before touching the job scheduler, write characterization tests for its current behaviour. Then replace the polling loop with a priority queue. Update the architecture doc last.",
        &[Tests, Code, Docs],
        &["characterization tests", "priority queue", "architecture doc"],
    )
    .order(&[("characterization tests", "priority queue"), ("priority queue", "architecture doc")]),
    apart(
        "Implement the sync protocol v2 in the client once its message format has been designed. When that's in, have someone review it. A CI matrix with the old and the new server goes last.",
        &[Design, Code, Review, Ci],
        &["sync protocol v2", "message format", "review", "CI matrix"],
    )
    .order(&[("message format", "Implement the sync protocol"), ("Implement the sync protocol", "review it"), ("review it", "CI matrix")]),
    apart(
        "Last: publish to PyPI from CI. First: port setup.py to pyproject.toml. In between, add tests that install the wheel on Python 3.13.",
        &[Ci, Code, Tests],
        &["PyPI", "pyproject.toml", "install the wheel"],
    )
    .order(&[("pyproject.toml", "install the wheel"), ("install the wheel", "PyPI")]),
    apart(
        "1. Document the new stock-count API\n2. Implement the stock-count API\n3. Research which barcode libraries work on Zebra scanners\n\nDo 3 first, then 2, and 1 only when 2 is done.",
        &[Research, Code, Docs],
        &["Document", "Implement", "barcode libraries"],
    )
    .order(&[("barcode libraries", "Implement the stock-count API"), ("Implement the stock-count API", "Document the new stock-count API")])
    .background(&["Do 3 first, then 2, and 1 only when 2 is done"]),
    apart(
        "Don't start migrating the renderer to wgpu until the unsafe blocks have been audited. Screenshot tests should be added before the migration too. After all that, write upgrade notes for modders.",
        &[Audit, Tests, Code, Docs],
        &["wgpu", "unsafe blocks", "Screenshot tests", "upgrade notes"],
    )
    .order(&[("unsafe blocks", "wgpu"), ("Screenshot tests", "wgpu"), ("wgpu", "upgrade notes")]),
    apart(
        "need oauth device flow in the cli. pls sketch the design 1st so Tom can sign off, code after that, and a security audit b4 we merge",
        &[Design, Code, Audit],
        &["device flow", "design", "security audit"],
    )
    .order(&[("sketch the design", "code after that"), ("code after that", "security audit")]),
    apart(
        "Speed up the image resizer by switching to libvips, and add tests for the EXIF rotation cases. Do not touch the public API or the docs.",
        &[Code, Tests],
        &["libvips", "EXIF rotation"],
    )
    .untouched(&["public API", "docs"])
    .background(&["Do not touch the public API or the docs"]),
    apart(
        "Add SAML single sign-on to the dashboard. No tests please, QA writes them separately, and no documentation either.",
        &[Code],
        &["SAML"],
    )
    .one()
    .background(&["No tests please, QA writes them separately", "no documentation either"]),
    apart(
        "Refactor the physics module into smaller files without changing behaviour; leave `collision.c` alone, it's being reworked on another branch. Add unit tests for the integrator.",
        &[Code, Tests],
        &["physics module", "integrator"],
    )
    .untouched(&["collision.c"])
    .background(&["leave `collision.c` alone", "it's being reworked on another branch"]),
    apart(
        "Write a reference page for the config file. Don't change any code, even if you spot bugs. The old page on environment variables should not be edited either, just link to it.",
        &[Docs],
        &["reference page", "config file", "link"],
    )
    .one()
    .untouched(&["code", "old page on environment variables"])
    .background(&["Don't change any code, even if you spot bugs"]),
    apart(
        "Upgrade Django to 5.0 and fix the deprecation warnings, but don't bump celery. The migrations folder must remain as is. Tests for the admin actions need updating as well.",
        &[Code, Tests],
        &["Django", "deprecation warnings", "admin actions"],
    )
    .untouched(&["celery", "migrations folder"])
    .background(&["The migrations folder must remain as is"]),
    apart(
        "Add CAN bus logging to the gateway firmware and document the log format.\n\nConstraints:\n- no dynamic allocation\n- flash use must not grow by more than 8 kB\n- don't modify drivers/can_hal.c",
        &[Code, Docs],
        &["CAN bus logging", "log format"],
    )
    .untouched(&["drivers/can_hal.c"])
    .background(&["no dynamic allocation", "flash use must not grow by more than 8 kB", "don't modify drivers/can_hal.c"]),
    apart(
        "App crashes on launch on a Pixel 6 after updating to 3.14.1. Logcat shows a NullPointerException in SplashActivity.onResume. Doesn't happen on a fresh install. Reproduced on two devices.",
        &[Code],
        &["SplashActivity"],
    )
    .one()
    .background(&["Doesn't happen on a fresh install", "Reproduced on two devices"]),
    apart(
        "rename getUsr to getUser everywhere",
        &[Code],
        &["getUsr", "getUser"],
    )
    .one(),
    apart(
        "Make onboarding nicer somehow",
        &[Code],
        &["onboarding"],
    )
    .one(),
    apart(
        "Why do we vendor two copies of zlib in the repo? Is there any reason the CLI can't link the system one?",
        &[Research],
        &["zlib"],
    )
    .one(),
    apart(
        "Fix the off-by-one in the page count of the PDF report: exactly 20 items gives 2 pages when it should be 1.",
        &[Code],
        &["off-by-one", "page count"],
    )
    .one()
    .background(&["exactly 20 items gives 2 pages"]),
    apart(
        "Kafka consumer lag climbs every night around 03:00 and recovers by 05:00. Memory stays flat, CPU is at 20%. The brokers were upgraded to 3.6 in April, no idea if it's related. We see \"rebalance in progress\" about 300 times in the log.",
        &[Code],
        &["consumer lag"],
    )
    .one()
    .background(&["Memory stays flat", "The brokers were upgraded to 3.6 in April", "about 300 times in the log"]),
];
