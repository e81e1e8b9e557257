//! What a request in German or French wants left as it is: `README.md darf nicht geändert werden`, `sans
//! modifier README.md`. Such requests are not read otherwise, but a file that must stay is a file.
//!
//! A prohibition is a run of words that say nothing else: a negation, one verb of change, files, and
//! small words. `Ändere die Tests in a.rs nicht` is none, since it speaks of what lies in the file.

use super::super::token::Token;
use super::kept::is_file;

/// What negates whatever stands around it.
const NEGATING: &[&str] = &["jamais", "nicht", "nie", "niemals", "pas"];

/// What negates what follows.
const WITHOUT: &[&str] = &["ohne", "sans"];

/// What says of something that it stays.
const STAYING: &[&str] = &[
    "inchangé",
    "inchangée",
    "inchangés",
    "inchangées",
    "intact",
    "intacts",
    "unangetastet",
    "unverändert",
];

/// Verbs of change, in the forms that prohibitions have.
const CHANGING: &[&str] = &[
    "anfassen",
    "angefasst",
    "angerührt",
    "anrühren",
    "anzufassen",
    "anzurühren",
    "bearbeite",
    "bearbeiten",
    "bearbeitet",
    "berühre",
    "berühren",
    "berührt",
    "change",
    "changer",
    "changez",
    "changé",
    "fass",
    "fasse",
    "geändert",
    "modifie",
    "modifier",
    "modifiez",
    "modifié",
    "modifiée",
    "modifiés",
    "modifiées",
    "modifiziere",
    "modifizieren",
    "modifiziert",
    "touche",
    "toucher",
    "touchez",
    "touché",
    "verändere",
    "verändern",
    "verändert",
    "ändere",
    "ändern",
    "ändert",
];

/// What begins another clause.
const JOINING: &[&str] = &["aber", "et", "mais", "oder", "ou", "und"];

/// Words that say nothing of what is meant.
const SMALL: &[&str] = &[
    "a", "an", "au", "auch", "aux", "bitte", "bleiben", "bleibt", "darf", "das", "datei",
    "dateien", "den", "der", "die", "doit", "doivent", "dossier", "dürfen", "fichier", "fichiers",
    "jedoch", "la", "lass", "lasse", "lassen", "le", "les", "müssen", "muss", "ne", "ni", "noch",
    "ordner", "sollen", "sollte", "soll", "so", "sowie", "weder", "werden", "wird", "zu", "à",
    "être",
];

/// The prohibitions among some tokens, in order and apart from each other, each with the places of
/// the files that must stay.
pub(in super::super) fn foreign(tokens: &[Token]) -> Vec<((usize, usize), Vec<usize>)> {
    let mut found: Vec<((usize, usize), Vec<usize>)> = Vec::new();
    for at in 0..tokens.len() {
        let floor = found.last().map_or(0, |((_, to), _)| *to);
        let is_negated = [NEGATING, WITHOUT, STAYING]
            .iter()
            .any(|words| tokens[at].is_any(words))
            || is_as_it_is(tokens, at);
        if at >= floor && is_negated {
            found.extend(prohibition(tokens, at, floor));
        }
    }
    found
}

/// The run around a negation, if it is a prohibition.
fn prohibition(tokens: &[Token], at: usize, floor: usize) -> Option<((usize, usize), Vec<usize>)> {
    let goes_on = |at: &usize| {
        let token = &tokens[*at];
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let is_listed = token.is_mark(',')
            && before.is_some_and(is_file)
            && tokens.get(at + 1).is_some_and(is_file);
        let known = [NEGATING, STAYING, CHANGING, JOINING, SMALL];
        // `So, wie es ist`
        let mut near = at.saturating_sub(2)..=*at;
        let is_as = near.any(|at| is_as_it_is(tokens, at))
            || token.is_mark(',') && is_as_it_is(tokens, at + 1);
        is_file(token) || is_listed || is_as || known.iter().any(|words| token.is_any(words))
    };
    let is_without = tokens[at].is_any(WITHOUT);
    let mut from = match is_without {
        true => at,
        false => at - (floor..at).rev().take_while(goes_on).count(),
    };
    let to = at + 1 + (at + 1..tokens.len()).take_while(goes_on).count();
    // `Et` of another prohibition begins that one.
    let begins = |at: usize| at == floor || !tokens[at - 1].is_word();
    let is_whole = is_without || begins(from) || tokens[from].is_any(JOINING);
    let ends = tokens.get(to).is_none_or(|next| !next.is_word());
    let run = &tokens[from..to];
    let changes = run.iter().filter(|it| it.is_any(CHANGING)).count();
    let as_it_is = (from..to).any(|at| is_as_it_is(tokens, at));
    let stays = as_it_is || run.iter().any(|it| it.is_any(STAYING));
    let files: Vec<usize> = (from..to).filter(|&at| is_file(&tokens[at])).collect();
    let says = changes == 1 || changes == 0 && stays;
    while tokens[from].is_any(JOINING) {
        from += 1;
    }
    (is_whole && ends && says && !files.is_empty()).then_some(((from, to), files))
}

/// `Wie es ist`.
fn is_as_it_is(tokens: &[Token], at: usize) -> bool {
    let is = |n: usize, words: &[&str]| tokens.get(at + n).is_some_and(|it| it.is_any(words));
    is(0, &["wie"]) && is(1, &["er", "es", "sie"]) && is(2, &["ist", "sind"])
}

#[cfg(test)]
mod tests {
    use super::super::super::token::scan;
    use super::*;

    fn kept(text: &str) -> Vec<Vec<String>> {
        let tokens = scan(text);
        let found = foreign(&tokens).into_iter().map(|(_, files)| files);
        let names = found.map(|files| {
            let files = files.into_iter();
            files.map(|at| tokens[at].lower.clone()).collect()
        });
        names.collect()
    }

    #[test]
    fn files_that_must_stay_are_known_in_german_and_french() {
        for (text, expected) in [
            ("README.md darf nicht geändert werden", &["readme.md"][..]),
            (
                "a.rs, b.rs und c.rs dürfen nicht verändert werden",
                &["a.rs", "b.rs", "c.rs"],
            ),
            ("Füge eine Zeile hinzu, ändere aber a.rs nicht", &["a.rs"]),
            ("Füge eine Zeile hinzu und ändere a.rs nicht", &["a.rs"]),
            ("Bitte fass a.rs nicht an.", &["a.rs"]),
            (
                "Kürze b.rs, ohne a.rs oder c.rs zu ändern",
                &["a.rs", "c.rs"],
            ),
            (
                "Kürze b.rs. Die Datei a.rs muss unverändert bleiben.",
                &["a.rs"],
            ),
            ("Kürze b.rs. a.rs soll so bleiben, wie es ist.", &["a.rs"]),
            ("Kürze b.rs. Makefile bitte nicht anfassen!", &["makefile"]),
            ("Raccourcis b.rs sans modifier a.rs", &["a.rs"]),
            ("Raccourcis b.rs, ne touche pas à a.rs", &["a.rs"]),
            ("Raccourcis b.rs. a.rs ne doit pas être modifié.", &["a.rs"]),
        ] {
            assert_eq!(kept(text), [expected], "{text}");
        }
        for text in [
            "Ändere die Tests in a.rs nicht",
            "Ändere a.rs nicht im Kopf",
            "Der Parser in a.rs darf nicht geändert werden",
            "a.rs ist nicht schnell",
            "a.rs ändern und b.rs nicht ändern",
            "Ändere nicht alles",
        ] {
            assert_eq!(kept(text), [] as [Vec<String>; 0], "{text}");
        }
    }
}
