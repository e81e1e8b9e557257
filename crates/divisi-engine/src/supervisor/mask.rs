//! Replaces secret values in a stream, also where a value lies across two chunks.
//!
//! It knows the exact values only; an encoded secret (base64, reversed) passes. Overlapping
//! values are masked as one stretch, so that no part of either is left.

use regex::bytes::Regex;

/// What stands in the place of a secret.
const MASK: &[u8] = b"[masked]";

/// Shorter values are not masked: they would turn up everywhere by chance.
pub(super) const SECRET_BYTES_MIN: usize = 4;

/// Searching for more would be slow and take much memory; keys and tokens are far shorter.
const SECRETS_BYTES_MAX: usize = 64 << 10;

/// There are more bytes of secrets than can be masked.
#[derive(Debug)]
pub(super) struct TooMuch;

/// Replaces values in a stream of bytes.
pub(super) struct Masker {
    pattern: Regex,
    /// The longest first.
    values: Vec<Vec<u8>>,
    /// Bytes that may be the beginning of a value.
    held: Vec<u8>,
    /// So many of the bytes held belong to a value that was masked already; another that
    /// overlaps it may begin in them.
    covered: usize,
}

impl Masker {
    /// A masker for these values; `None` if none of them is long enough.
    ///
    /// # Errors
    /// There is too much of them. Nothing may then be logged unmasked.
    pub(super) fn new(values: &[String]) -> Result<Option<Masker>, TooMuch> {
        let mut values: Vec<&str> = values
            .iter()
            .map(String::as_str)
            .filter(|value| value.len() >= SECRET_BYTES_MIN)
            .collect();
        // The first alternative that fits wins, so the longest comes first.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        if values.iter().map(|value| value.len()).sum::<usize>() > SECRETS_BYTES_MAX {
            return Err(TooMuch);
        }
        if values.is_empty() {
            return Ok(None);
        }
        let pattern: Vec<String> = values.iter().map(|value| regex::escape(value)).collect();
        Ok(Some(Masker {
            pattern: Regex::new(&pattern.join("|")).map_err(|_| TooMuch)?,
            values: { values.iter() }
                .map(|value| value.as_bytes().to_vec())
                .collect(),
            held: Vec::new(),
            covered: 0,
        }))
    }

    /// Takes a chunk and appends to `out` what can be said of the stream so far.
    pub(super) fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(chunk);
        self.emit(self.decided(), out);
    }

    /// How much is held before the first place where a value may have begun that is not wholly
    /// visible. Nothing else is held back: somebody may be reading the log as it grows.
    fn decided(&self) -> usize {
        let all = self.held.len();
        let longest = self.values.first().map_or(0, Vec::len);
        let begins = |at: &usize| {
            let rest = &self.held[*at..];
            let is_longer = self
                .values
                .iter()
                .take_while(|value| value.len() > rest.len());
            is_longer.into_iter().any(|value| value.starts_with(rest))
        };
        let last = (all + 1).saturating_sub(longest)..all;
        last.into_iter().find(begins).unwrap_or(all)
    }

    /// The stream is over: appends what was held back.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.emit(self.held.len(), out);
    }

    /// Passes on what lies before `decided`, where every value that begins is wholly visible.
    fn emit(&mut self, decided: usize, out: &mut Vec<u8>) {
        let mut done = self.covered;
        let mut from = 0;
        while let Some(found) = self.pattern.find_at(&self.held, from) {
            if found.start() >= decided {
                break;
            }
            if found.start() >= done {
                out.extend_from_slice(&self.held[done..found.start()]);
                out.extend_from_slice(MASK);
            }
            done = done.max(found.end());
            from = found.start() + 1;
        }
        if done < decided {
            out.extend_from_slice(&self.held[done..decided]);
            done = decided;
        }
        self.held.drain(..decided);
        self.covered = done - decided;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(values: &[&str], chunks: &[&[u8]]) -> String {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut masker = Masker::new(&values).unwrap().unwrap();
        let mut out = Vec::new();
        for chunk in chunks {
            masker.feed(chunk, &mut out);
        }
        masker.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_value_is_masked_wherever_the_chunks_are_cut() {
        let text = b"a sk-12345 b sk-1 c sk-12345";
        for cut in 0..=text.len() {
            let (head, tail) = text.split_at(cut);
            let out = masked(&["sk-12345"], &[head, tail]);
            assert_eq!(out, "a [masked] b sk-1 c [masked]", "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(
            masked(&["sk-12345"], &bytes),
            "a [masked] b sk-1 c [masked]"
        );
    }

    #[test]
    fn the_longer_of_two_values_wins_and_overlaps_are_one_stretch() {
        for cut in 0..=10 {
            let (head, tail) = b"x abcdef y".split_at(cut);
            assert_eq!(masked(&["abcd", "abcdef"], &[head, tail]), "x [masked] y");
            assert_eq!(masked(&["abcd", "cdef"], &[head, tail]), "x [masked] y");
        }
        let chain: Vec<&[u8]> = b"1abcdabcda2abcd".chunks(1).collect();
        assert_eq!(masked(&["abcda", "abcd"], &chain), "1[masked]2[masked]");
        assert_eq!(masked(&["aaaa"], &[b"aaaaaaab"]), "[masked]b");
    }

    #[test]
    fn only_what_may_be_the_beginning_of_a_value_is_held_back() {
        let values = [
            "sk-12345".to_owned(),
            "12".to_owned(),
            "line-of-it".to_owned(),
        ];
        let mut masker = Masker::new(&values).unwrap().unwrap();
        for (chunk, passed) in [
            ("one line\n", "one line\n"),
            ("two sk-1", "two "),
            ("2", ""),
            ("x\n", "sk-12x\n"),
            ("skline", "sk"),
            ("-of-it", "[masked]"),
            ("sksk-12345", "sk[masked]"),
            ("sk", ""),
        ] {
            let mut out = Vec::new();
            masker.feed(chunk.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), passed, "{chunk:?}");
        }
        let mut out = Vec::new();
        masker.finish(&mut out);
        assert_eq!(out, b"sk");
    }

    #[test]
    fn patterns_and_newlines_in_values_are_plain_text() {
        assert_eq!(masked(&["a.*b\n(c"], &[b"a.*b\n(c axxb"]), "[masked] axxb");
        let short = Masker::new(&["abc".into(), String::new()]);
        assert!(short.unwrap().is_none());
        let most = "x".repeat(SECRETS_BYTES_MAX);
        assert!(Masker::new(&[most]).unwrap().is_some());
        assert!(Masker::new(&["long".repeat(SECRETS_BYTES_MAX)]).is_err());
    }
}
