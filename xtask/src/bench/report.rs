//! Tables, limits, and the document that holds them.

use std::fs;
use std::path::Path;

use crate::Result;

/// One part's results: tables with the text before and after them.
#[derive(Default)]
pub(super) struct Section {
    text: String,
    missed: usize,
}

impl Section {
    /// Adds a paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.separate();
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds a table; all columns but the first are aligned to the right.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.separate();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            for cell in cells {
                self.text.push_str("| ");
                self.text.push_str(cell);
                self.text.push(' ');
            }
            self.text.push_str("|\n");
        };
        line(&mut head.iter().copied());
        line(&mut (0..head.len()).map(|column| if column == 0 { "---" } else { "---:" }));
        for row in rows {
            line(&mut row.iter().map(String::as_str));
        }
    }

    /// Compares a figure with its limit; a missed one is counted and shown in bold.
    pub(super) fn limit(&mut self, value: f64, limit: f64, shown: String) -> String {
        if value <= limit {
            return shown;
        }
        self.missed += 1;
        format!("**{shown}** (missed)")
    }

    /// How many limits were missed.
    pub(super) fn missed(&self) -> usize {
        self.missed
    }

    /// The text.
    pub(super) fn markdown(&self) -> &str {
        self.text.trim_end()
    }

    fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }
}

/// Writes a part's text between its markers in the document.
///
/// # Errors
/// If the document cannot be read or written, or lacks the markers.
pub(super) fn write(document: &Path, name: &str, text: &str) -> Result<()> {
    let place = |e| format!("{}: {e}", document.display());
    let old = fs::read_to_string(document).map_err(|e| place(e.to_string()))?;
    let new = replace(&old, name, text).map_err(place)?;
    Ok(fs::write(document, new)?)
}

/// The document with the text between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` replaced.
///
/// # Errors
/// Which marker is missing.
pub(super) fn replace(
    document: &str,
    name: &str,
    text: &str,
) -> std::result::Result<String, String> {
    let (open, close) = (
        format!("<!-- bench:{name} -->\n"),
        format!("<!-- /bench:{name} -->\n"),
    );
    let (before, rest) = document
        .split_once(&open)
        .ok_or_else(|| format!("the marker `{}` is missing", open.trim()))?;
    let (_, after) = rest
        .split_once(&close)
        .ok_or_else(|| format!("the marker `{}` is missing", close.trim()))?;
    Ok(format!("{before}{open}\n{text}\n\n{close}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_limits() {
        let mut section = Section::default();
        let met = section.limit(1.2, 1.3, "1.20".into());
        let missed = section.limit(1.4, 1.3, "1.40".into());
        section.paragraph("Text.");
        section.table(
            &["graph", "ratio"],
            &[vec!["a".into(), met], vec!["b".into(), missed]],
        );
        assert_eq!(
            section.markdown(),
            "Text.\n\n| graph | ratio |\n| --- | ---: |\n| a | 1.20 |\n| b | **1.40** (missed) |"
        );
        assert_eq!(section.missed(), 1);
    }

    #[test]
    fn only_the_text_between_the_markers_changes() {
        let document = "# A\n<!-- bench:make -->\nold\n<!-- /bench:make -->\n<!-- bench:size -->\n<!-- /bench:size -->\nend\n";
        let once = replace(document, "make", "new").unwrap();
        assert_eq!(
            once,
            "# A\n<!-- bench:make -->\n\nnew\n\n<!-- /bench:make -->\n<!-- bench:size -->\n<!-- /bench:size -->\nend\n"
        );
        assert_eq!(replace(&once, "make", "new").unwrap(), once);
        assert_eq!(
            replace(document, "none", "x").unwrap_err(),
            "the marker `<!-- bench:none -->` is missing"
        );
    }
}
