//! A fourth fifty, written by somebody who knows no rule, and of the others only the third.

use super::Field::{Audit, Ci, Code, Design, Docs, Research, Review, Tests};
use super::{Apart, apart};

pub(super) const FOURTH: &[Apart] = &[
    // Numbered lists.
    apart(
        "Weather station gateway, what is left before the trade fair:\n1. read the rain gauge over Modbus (the register map is in docs/modbus.md)\n2. buffer the readings on the SD card while the uplink is down\n3. a watchdog reset must not lose buffered readings\n4. unit tests for the CRC of the Modbus frames",
        &[Code, Tests],
        &["rain gauge", "SD card", "watchdog reset", "CRC"],
    )
    .background(&["trade fair"]),
    apart(
        "1. Find out who still calls /v1/quotes (the access logs of the last 90 days are in s3://logs-eu/api)\n2. Write to them? No, marketing does that\n3. Answer 410 Gone there, with a link to the migration page\n4. Remove the v1 serializers",
        &[Research, Code],
        &["who still calls", "410 Gone", "v1 serializers"],
    )
    .background(&["Write to them", "marketing does that"]),
    apart(
        "Photo archive import\n\n 1. Design a manifest format (JSON lines, one line per scan)\n 2. CLI command `archive import <dir>` that reads those manifests\n 3. Go on where it stopped after an interrupted import\n 4. Man page for the command",
        &[Design, Code, Docs],
        &["manifest format", "archive import", "interrupted import", "man page"],
    )
    .order(&[("Design a manifest format", "reads those manifests")]),
    apart(
        "Chess clock app:\na) increment per move (Fischer)\nb) vibrate when less than 10 seconds are left\nc) keep the screen on during a game\nd) UI tests for the increment",
        &[Code, Tests],
        &["increment per move", "vibrate", "screen on", "UI tests"],
    ),
    apart(
        "1. Rate limiting\n   We had 40k requests from a single IP on Sunday. Limit anonymous clients to 60 requests a minute and answer 429 beyond that.\n\n2. Dashboard\n   Show accepted and rejected requests per minute on a Grafana dashboard.\n\n3. Runbook\n   A runbook page that tells on-call what to do when a customer is blocked by mistake.",
        &[Code, Ci, Docs],
        &["limit", "anonymous clients", "dashboard", "runbook", "by mistake"],
    )
    .background(&["40k requests"]),
    // Bullet lists.
    apart(
        "Multiplayer lobby:\n- host\n    - can kick a player\n    - can lock the room\n- guests\n    - see everybody's ping\n    - may change their team until the round starts\n- load test with 200 rooms on one server",
        &[Code, Tests],
        &["host", "kick a player", "lock the room", "guests", "everybody's ping", "change their team", "load test"],
    ),
    apart(
        "- Users complain that the search results jump around while they type\n- We debounce by 50 ms today\n- Please raise that to 250 ms and cancel outdated requests\n- Add a unit test with fake timers",
        &[Code, Tests],
        &["250 ms", "outdated requests", "fake timers"],
    )
    .background(&["Users complain", "50 ms today"]),
    apart(
        "Accounting export, Jana's remarks\n* amounts with more than two decimals get cut off, they have to be rounded half up\n* the year is missing in the file name\n* encoding must be Windows-1252\n\nDon't bother with the DATEV import, Jana does that one herself.",
        &[Code],
        &["rounded half up", "file name", "Windows-1252"],
    )
    .untouched(&["DATEV import"]),
    // Check lists.
    apart(
        "Tide tables 3.2\n✅ new station list\n✅ Norwegian translation\n⬜ offline mode: keep the next 14 days on the device\n⬜ share a day as a picture\n⬜ VoiceOver labels for the curve",
        &[Code],
        &["offline mode", "share a day", "VoiceOver"],
    )
    .background(&["new station list", "Norwegian translation"]),
    apart(
        "Before we open-source the thing:\n- [ ] security audit of the upload handler\n- [ ] get the customer names out of src/demo_data.py\n- [x] choose a licence\n- [ ] CONTRIBUTING.md\n- [ ] let the CI run on forks, without our secrets",
        &[Audit, Code, Docs, Ci],
        &["upload handler", "customer names", "CONTRIBUTING.md", "forks"],
    )
    .background(&["choose a licence"]),
    apart(
        "To do, top to bottom, each one needs the one above it:\n☐ document the present message format in docs/wire.md\n☐ generate a parser from that description\n☐ throw away the hand-written parser\n☐ fuzz tests for the generated one",
        &[Docs, Code, Tests],
        &["docs/wire.md", "generate a parser", "hand-written parser", "fuzz tests"],
    )
    .order(&[
        ("document the present message format", "generate a parser"),
        ("generate a parser", "throw away the hand-written parser"),
        ("throw away the hand-written parser", "fuzz tests"),
    ]),
    // Scenarios.
    apart(
        "Feature: waiting list for sold-out workshops\n\n  Scenario: a seat becomes free\n    Given a sold-out workshop with two people waiting\n    When a participant cancels\n    Then the first in line gets a mail and has 24 hours to confirm\n\n  Scenario: nobody confirms\n    Given an offer that was mailed 24 hours ago\n    When it has not been confirmed\n    Then the offer goes to the next in line",
        &[Code],
        &["seat becomes free", "nobody confirms"],
    ),
    // Issues with headings.
    apart(
        "## Summary\nInvoices that are paid in two instalments are listed as overdue.\n\n## Impact\nAbout 300 customers got a reminder that they didn't deserve.\n\n## Proposed change\n* an invoice counts as paid when the sum of its payments reaches the total\n* no reminders for partially paid invoices for 14 days\n* regression tests for both\n\n## Out of scope\nRefunds; the dunning letters.",
        &[Code, Tests],
        &["sum of its payments", "partially paid", "regression tests"],
    )
    .untouched(&["Refunds", "dunning letters"])
    .background(&["About 300 customers"]),
    apart(
        "# Offline sync for the inspection app\n\n## Background\nInspectors work in basements without a signal. Since everybody got a tablet, two people often edit the same report, and the later upload wins.\n\n## Wanted\nA decision between CRDTs and merging field by field, written down in docs/adr/0017-sync.md. No code at this stage.",
        &[Research, Design, Docs],
        &["CRDTs", "0017-sync"],
    )
    .one(),
    apart(
        "BACKGROUND\nThe lab's spectrometer writes .spc files, which the students convert by hand.\n\nTASKS\n1. Reader for .spc files (little endian, even spacing only)\n2. Batch converter to CSV\n3. Tests with the five files in samples/\n\nCONSTRAINTS\nNo new dependencies. The plotting code in plots/ belongs to a paper under review and has to stay exactly as it is.",
        &[Code, Tests],
        &["reader for .spc", "batch converter", "five files"],
    )
    .untouched(&["plots/", "plotting code"])
    .background(&["convert by hand", "paper under review"]),
    // Pasted bug reports.
    apart(
        "**Describe the bug**\nCalling `Schedule.next()` on the last day of a month raises.\n\n```\nTraceback (most recent call last):\n  File \"/srv/app/cron/schedule.py\", line 88, in next\n    return self._at.replace(day=self._at.day + 1)\nValueError: day is out of range for month\n```\n\n**Expected behavior**\nThe first of the next month.\n\n**Additional context**\nPython 3.12. Started when we dropped dateutil.",
        &[Code],
        &["Schedule.next"],
    )
    .one(),
    apart(
        "prod has been spamming this since the 14:10 deploy:\n\n2026-03-02T14:12:09Z ERROR pool: timeout acquiring connection (size=10, waiting=57)\n2026-03-02T14:12:10Z ERROR pool: timeout acquiring connection (size=10, waiting=58)\n2026-03-02T14:12:10Z WARN  http: 503 GET /cart\n\nfind out what holds the connections, fix it, then write the postmortem (docs/postmortems/)",
        &[Research, Code, Docs],
        &["what holds the connections", "fix it", "postmortem"],
    )
    .order(&[
        ("find out what holds the connections", "fix it"),
        ("fix it", "write the postmortem"),
    ])
    .background(&["14:10 deploy", "timeout acquiring", "GET /cart"]),
    apart(
        "Crash when the tablet is rotated in the middle of an upload:\n\njava.lang.IllegalStateException: Fragment UploadFragment not attached to a context.\n\tat androidx.fragment.app.Fragment.requireContext(Fragment.java:972)\n\tat eu.fotobox.upload.UploadFragment.onProgress(UploadFragment.kt:61)\n\tat eu.fotobox.upload.Uploader.run(Uploader.kt:118)\n\nMove the upload out of the fragment into a WorkManager job. Add an instrumented test that rotates the device during an upload.",
        &[Code, Tests],
        &["WorkManager", "instrumented test"],
    )
    .background(&["IllegalStateException", "requireContext", "onProgress"]),
    // Arrows.
    apart(
        "measure the binary size -> find the three biggest contributors -> strip what we can -> put a size budget into the CI",
        &[Research, Code, Ci],
        &["measure the binary size", "biggest contributors", "strip what we can", "size budget"],
    )
    .order(&[
        ("measure the binary size", "biggest contributors"),
        ("biggest contributors", "strip what we can"),
        ("strip what we can", "size budget"),
    ]),
    apart(
        "Plugin signing: design the signature format => implement the check in `plugin_loader` => security audit by somebody who wrote none of it",
        &[Design, Code, Audit],
        &["signature format", "plugin_loader", "security audit"],
    )
    .order(&[
        ("design the signature format", "implement the check in `plugin_loader`"),
        ("implement the check in `plugin_loader`", "security audit by somebody"),
    ]),
    // Single sentences.
    apart(
        "Move the magic numbers from `pid.c` into `pid_config.h` so that the compiled image stays identical; everything else is to be left as it is.",
        &[Code],
        &["magic numbers"],
    )
    .one(),
    apart(
        "Write a press kit page and a FAQ for the closed beta, and don't mention the price anywhere.",
        &[Docs],
        &["press kit", "FAQ"],
    )
    .untouched(&["price"]),
    apart(
        "Find out whether pdqsort beats our `sort_rows` by at least 20 % on the nightly data, and if it does, replace `sort_rows` with it.",
        &[Research, Code],
        &["whether pdqsort beats", "replace `sort_rows`"],
    )
    .order(&[("whether pdqsort beats", "replace `sort_rows` with it")]),
    // Prose.
    apart(
        "Our demand forecast for the bakery branches is far too high on bank holidays. The model simply doesn't know them. Add the regional holidays as a feature and retrain it. Then analyse how the error for 2025 has changed, the figures here in the chat are enough. The weather features come from a vendor and are off limits.",
        &[Code, Research],
        &["regional holidays", "error for 2025"],
    )
    .order(&[("Add the regional holidays", "analyse how the error for 2025")])
    .untouched(&["weather features"])
    .background(&["far too high", "doesn't know them"]),
    apart(
        "We are leaving Jenkins at the end of the quarter. The nightly build and the release job have to run on GitLab CI by then, the other jobs can die. The artifact names must remain what they are because the download page relies on them. A migration guide for the team would be good, too.",
        &[Ci, Docs],
        &["nightly build", "release job", "migration guide"],
    )
    .untouched(&["artifact names", "download page"])
    .background(&["leaving Jenkins", "other jobs can die"]),
    apart(
        "In the level editor, undo is broken for grouped objects: it brings back only the first one. And redo has never worked after a paste. Please fix both, nothing fancy, and don't refactor the command stack, I have a branch open for that. A test for each would make me happy.",
        &[Code, Tests],
        &["grouped objects", "redo", "test for each"],
    )
    .untouched(&["command stack"])
    .background(&["branch open"]),
    apart(
        "I maintain a small CSV crate. `Reader::records` allocates a String per field, which is most of the run time for a file of 2 GB. I'd like a borrowing variant, `Reader::raw_records`, without breaking anybody: the existing signatures stay. Criterion benchmarks of both, please, and a section in the README on when to use which.",
        &[Code, Docs],
        &["raw_records", "benchmarks", "when to use which"],
    )
    .untouched(&["existing signatures"])
    .background(&["I maintain a small", "most of the run time"]),
    // Chats.
    apart(
        "hey :) can u make the leaderboard show the top 100 instead of the top 10? and paginate it pls, otherwise it gets super long on mobile. oh and the crown icon for #1 is blurry, replace it w/ the svg from assets/new. thx!!",
        &[Code],
        &["top 100", "paginate", "crown icon"],
    )
    .background(&["thx"]),
    apart(
        "> Lena: the CSV has the wrong delimiter again\n> Tom: yeah, a German Excel wants semicolons\n\nCould you choose the delimiter by the user's locale? And tests for de, en and fr, please.",
        &[Code, Tests],
        &["user's locale", "de, en and fr"],
    )
    .background(&["wrong delimiter again", "German Excel"]),
    apart(
        "ok so I was thinking of websockets for the auction page, but no, polling is fine after all. So: poll every 2 s, show the highest bid and the seconds left, disable the bid button when it's over. No websockets.",
        &[Code],
        &["poll every 2 s", "highest bid", "bid button"],
    )
    .untouched(&["websockets"]),
    // Questions, and what asks for an answer only.
    apart(
        "How much would we save per month if the staging cluster slept from 8 pm to 6 am? A rough figure is enough.",
        &[Research],
        &["staging cluster"],
    )
    .one(),
    apart(
        "Is it safe to call `cache_put` from an interrupt handler? Yes or no, and why.",
        &[Research, Review],
        &["cache_put"],
    )
    .one(),
    apart(
        "Please proofread docs/whitepaper.md and send me your remarks as a list. I'd rather make the edits myself.",
        &[Review, Research],
        &["docs/whitepaper.md"],
    )
    .one()
    .untouched(&["docs/whitepaper.md"]),
    // What is forbidden.
    apart(
        "The importer should accept .ods besides .xlsx. Write tests for empty sheets and merged cells. No new npm packages, no change of the public interface, and the files under test/golden are sacred.",
        &[Code, Tests],
        &[".ods", "empty sheets", "merged cells"],
    )
    .untouched(&["npm packages", "public interface", "test/golden"]),
    apart(
        "Refuse new passwords that are in the breach list. It is forbidden to log the password or to send it to a third party, and the present length rules may not be weakened.",
        &[Code],
        &["breach list"],
    )
    .one()
    .untouched(&["length rules"]),
    // Approvals.
    apart(
        "Draft the new refund policy for the shop; our lawyer has to approve it before you put it into the page footer and the order mail.",
        &[Docs, Code],
        &["refund policy", "approve", "page footer", "order mail"],
    )
    .order(&[("Draft the new refund policy", "page footer and the order mail")]),
    apart(
        "Shrink the oversized RDS instances by one size. I want to see a list of them with the expected savings first and say yes to it, nothing gets resized without that.",
        &[Research, Ci],
        &["RDS instances", "expected savings", "say yes"],
    )
    .order(&[("list of them with the expected savings", "Shrink the oversized RDS instances")]),
    // Words of order.
    apart(
        "The certificates of our MQTT brokers run out on 1 June. Automate the renewal with step-ca, roll that out on broker-test, and on the three production brokers only after it has run there for a week. Devices in the field can't be updated, so their trust store has to remain unchanged.",
        &[Ci],
        &["step-ca", "broker-test", "production brokers"],
    )
    .order(&[("Automate the renewal with step-ca", "three production brokers")])
    .untouched(&["trust store"])
    .background(&["run out on 1 June", "can't be updated"]),
    apart(
        "Docs come last here: describe the rating formula in docs/rating.md after the matchmaking uses it. What comes first is to find out whether Glicko-2 or TrueSkill fits matches of four players better, and in between, implement the winner in `matchmaker`.",
        &[Research, Code, Docs],
        &["docs/rating.md", "Glicko-2", "implement the winner"],
    )
    .order(&[
        ("whether Glicko-2 or TrueSkill", "implement the winner"),
        ("implement the winner", "describe the rating formula"),
    ]),
    apart(
        "Start with the question why `Session::reconnect` hangs every tenth time. Next, repair that. Last of all, turn on the merge queue in the CI.",
        &[Research, Code, Ci],
        &["hangs every tenth time", "repair that", "merge queue"],
    )
    .order(&[
        ("hangs every tenth time", "repair that"),
        ("repair that", "turn on the merge queue"),
    ]),
    // Criteria in words.
    apart(
        "Rendering a page of the photo book must take at most 400 ms (95th percentile, 30 photos, on the CI runner), without any visible difference to the reference images.",
        &[Code],
        &["400 ms", "reference images"],
    )
    .one(),
    // German and French.
    apart(
        "Moin, im Buchungskalender werden Termine über Mitternacht auf zwei Tage zerteilt, das verwirrt die Leute. Bitte als einen durchgehenden Balken darstellen und einen Test dafür ergänzen. An der Datenbank bitte nichts ändern.",
        &[Code, Tests],
        &["durchgehenden Balken", "Test dafür"],
    )
    .untouched(&["Datenbank"])
    .background(&["verwirrt die Leute"]),
    apart(
        "Aufgaben für die Messwagen-Software:\n1. Herausfinden, warum die GPS-Zeit um 18 Sekunden abweicht\n2. Die Abweichung beheben\n3. Die Bedienungsanleitung um ein Kapitel \"Zeitquellen\" erweitern\n\nErst 1, dann 2; 3 ist davon unabhängig.",
        &[Research, Code, Docs],
        &["GPS-Zeit", "Abweichung beheben", "Zeitquellen"],
    )
    .order(&[("warum die GPS-Zeit", "Abweichung beheben")]),
    apart(
        "Bonjour, le formulaire d'inscription refuse les noms avec apostrophe (O'Brien, N'Guessan). Merci de les accepter et d'ajouter des tests ; surtout, ne modifiez pas la validation de l'adresse e-mail.",
        &[Code, Tests],
        &["accepter", "des tests"],
    )
    .untouched(&["validation de l'adresse"]),
    apart(
        "Quelle bibliothèque de cartes hors ligne choisir pour l'appli de randonnée : MapLibre ou Mapsforge ? Une demi-page avec les avantages et les inconvénients suffit, pas de code.",
        &[Research],
        &["MapLibre", "inconvénients"],
    )
    .one(),
    // Typos.
    apart(
        "teh serach on the intranet dosent find umlauts, plese normalise them in teh index and alos write tsets for \"Müller\" and \"Mueller\"",
        &[Code, Tests],
        &["normalise them", "tsets for"],
    ),
    apart(
        "udpate the depedencies in requirments.txt exept numpy, that one has to stay at 1.26",
        &[Code, Ci],
        &["depedencies"],
    )
    .one()
    .untouched(&["numpy"]),
    // Vague, or small.
    apart(
        "make it better pls, you know what I mean",
        &[Code, Design, Research],
        &["better"],
    )
    .one(),
    apart(
        "Something's been off with the numbers since last week.",
        &[Research, Code],
        &["off with the numbers"],
    )
    .one(),
    apart(
        "Bump the copyright year in LICENSE to 2026.",
        &[Docs, Code],
        &["copyright year"],
    )
    .one(),
];
