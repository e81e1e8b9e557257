//! Random values for tests: the n-th test case comes from the seed n, so that it can be repeated.

/// A small deterministic generator (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub(crate) fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize].clone()
    }

    pub(crate) fn some<T>(&mut self, make: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        self.one_in(2).then(|| make(self))
    }

    pub(crate) fn list<T>(&mut self, most: u64, mut make: impl FnMut(&mut Dice) -> T) -> Vec<T> {
        (0..self.roll(most + 1)).map(|_| make(self)).collect()
    }

    /// A text made from others by cutting, repeating, joining and breaking them at random.
    pub(crate) fn mutated(&mut self, corpus: &[&str]) -> String {
        let mut chars: Vec<char> = self.pick(corpus).chars().collect();
        for _ in 0..=self.roll(6) {
            let from = self.roll(chars.len() as u64 + 1) as usize;
            let to = (from + self.roll(12) as usize).min(chars.len());
            match self.roll(6) {
                0 => drop(chars.drain(from..to)),
                1 => {
                    let again: Vec<char> = chars[from..to].to_vec();
                    chars.splice(from..from, again);
                }
                2 => {
                    let other: Vec<char> = self.pick(corpus).chars().collect();
                    let cut = self.roll(other.len() as u64 + 1) as usize;
                    chars.truncate(from);
                    chars.extend(&other[cut..]);
                }
                3 => {
                    let c = self.pick(&[
                        ' ', '\n', '`', '"', '“', '”', '\'', '*', '{', '}', '[', ']', '(', ')',
                        '#', '-', '<', '>', ':', ',', '.', '/', '\\', '|', '\0', '\u{200b}', 'ü',
                        '𝄞', '0', '9',
                    ]);
                    chars.insert(from, c);
                }
                4 => {
                    let word = self.pick(&[
                        " not ",
                        " or ",
                        " and ",
                        " no ",
                        " unless ",
                        " all ",
                        "`",
                        "```",
                        "# ",
                        "\n- ",
                        "<!-- ",
                        "-->",
                        "99999999999999999999",
                        "../",
                    ]);
                    chars.splice(from..from, word.chars());
                }
                _ => chars[from..to].reverse(),
            }
        }
        chars.into_iter().collect()
    }
}
