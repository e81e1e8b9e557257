//! From bytes to text: size and encoding, before any parser looks at it.

use divisi_core::Diagnostic;
use divisi_core::diagnostic::Place;

use crate::codes;
use crate::faults::Faults;

/// The bytes as text, without a byte order mark.
///
/// # Errors
/// The one diagnostic that says why they are no text that is read.
pub(crate) fn text<'b>(
    source_name: &str,
    bytes: &'b [u8],
    bytes_max: usize,
) -> Result<&'b str, Box<Diagnostic>> {
    let whole = |diagnostic: Diagnostic| {
        Box::new(diagnostic.at(Place {
            source: source_name.to_owned(),
            line: 0,
            column: 0,
        }))
    };
    if bytes.len() > bytes_max {
        let cause = format!("the text has {} bytes, more than {bytes_max}", bytes.len());
        return Err(whole(Diagnostic::error(codes::TOO_LARGE, cause)));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let diagnostic = Diagnostic::error(codes::ENCODING, "the text is in UTF-16, not in UTF-8");
        return Err(whole(diagnostic.hint("save it as UTF-8")));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|fault| {
        let at = fault.valid_up_to();
        let valid = std::str::from_utf8(&bytes[..at]).expect("text is valid up to there");
        let mut faults = Faults::new(source_name, valid);
        let byte = bytes[at];
        faults
            .error(codes::ENCODING, at, || {
                format!("byte {byte:#04x} at offset {at} is not UTF-8")
            })
            .hint("save the file as UTF-8");
        let diagnostic = faults.finish().into_iter().next();
        Box::new(diagnostic.expect("one error was collected"))
    })
}

/// Reads a text: what `make` makes of it, unless it tells of an error, and all that it tells.
pub(crate) fn read<T>(
    source_name: &str,
    bytes: &[u8],
    bytes_max: usize,
    make: impl FnOnce(&str, &mut Faults<'_>) -> Option<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    let text = match text(source_name, bytes, bytes_max) {
        Ok(text) => text,
        Err(diagnostic) => return (None, vec![*diagnostic]),
    };
    let mut faults = Faults::new(source_name, text);
    let made = make(text, &mut faults).filter(|_| faults.errors() == 0);
    (made, faults.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(bytes: &[u8], bytes_max: usize) -> String {
        text("plan.json", bytes, bytes_max).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_byte_has_a_line_and_a_column_in_characters() {
        assert_eq!(
            cause(b"{\n \"\xc3\xa9\": \"\xc3(\"}", 100),
            "[text-encoding] plan.json:2:8: byte 0xc3 at offset 10 is not UTF-8"
        );
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        assert_eq!(text("t", b"\xef\xbb\xbf{}", 5).unwrap(), "{}");
        assert_eq!(
            cause(b"\xff\xfe{\0}\0", 100),
            "[text-encoding] plan.json: the text is in UTF-16, not in UTF-8"
        );
        assert_eq!(
            cause(b"123456", 5),
            "[text-too-large] plan.json: the text has 6 bytes, more than 5"
        );
    }
}
