//! Things that a request lists as belonging to what it wants: `with auth, billing, admin`.

use crate::request::{Part, Request};

/// Words after which such a list begins.
const LISTING: &[&str] = &[" with ", " including ", " such as ", ": ", " ("];

/// A component has at most so many words.
const WORDS_MAX: usize = 4;

/// The most that are told.
const COMPONENTS_MAX: usize = 20;

/// The components of a request: of the part that lists the most.
pub(super) fn components(request: &Request) -> Vec<String> {
    let mut most = Vec::new();
    for part in &request.parts {
        let (found, _) = of_part(part);
        if found.len() > most.len() {
            most = found;
        }
    }
    most.truncate(COMPONENTS_MAX);
    most
}

/// All that the only part of a request lists; `None` where something of the list is no component.
pub(crate) fn listed_whole(request: &Request) -> Option<Vec<String>> {
    let [part] = request.parts.as_slice() else {
        return None;
    };
    let (found, is_whole) = of_part(part);
    let is_list = !found.is_empty() && found.len() <= COMPONENTS_MAX;
    (is_whole && is_list).then_some(found)
}

/// The components that a part lists, and whether they are all of its list.
fn of_part(part: &Part) -> (Vec<String>, bool) {
    let text = part.text.to_lowercase();
    let from = LISTING.iter().filter_map(|word| {
        let at = text.find(word)?;
        Some(at + word.len())
    });
    let Some(from) = from.min() else {
        return (Vec::new(), false);
    };
    let list = text[from..].replace(" and ", ", ").replace(" & ", ", ");
    let list = list.split(')').next().unwrap_or_default();
    let (mut found, mut is_whole) = (Vec::new(), true);
    for item in list.split(',') {
        let item = item
            .trim()
            .trim_start_matches("and ")
            .trim_start_matches("a ")
            .trim_start_matches("an ");
        let words = item.split_whitespace().count();
        if item.is_empty() {
            continue;
        }
        if words > WORDS_MAX {
            is_whole = false;
            break;
        }
        found.push(item.to_owned());
    }
    // One or two things are no list.
    if found.len() < 3 {
        found.clear();
    }
    (found, is_whole)
}
