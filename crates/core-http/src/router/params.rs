//! The parameters of a match, as ranges of the path.

use std::ops::Range;

/// Ranges kept inline: more parameters than almost any route has.
const INLINE: usize = 8;

/// Where the parameters of a match stand in the path that was looked up, in the order of the pattern.
///
/// The text is as it came; `decode_segment` makes it readable. Names belong to the pattern, not to the match.
#[derive(Debug, Clone, Default)]
pub struct Params {
    inline: [(u16, u16); INLINE],
    length: u16,
    /// The ninth and further ones.
    spilled: Vec<(u16, u16)>,
}

impl Params {
    pub const fn len(&self) -> usize {
        self.length as usize
    }

    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The range of one parameter.
    pub fn range(&self, index: usize) -> Option<Range<usize>> {
        if index >= self.len() {
            return None;
        }
        let &(start, end) = match self.inline.get(index) {
            Some(range) => range,
            None => self.spilled.get(index - INLINE)?,
        };
        Some(usize::from(start)..usize::from(end))
    }

    /// The raw text of one parameter; `path` is the one the match was made with.
    pub fn get<'p>(&self, path: &'p str, index: usize) -> Option<&'p str> {
        self.range(index).and_then(|range| path.get(range))
    }

    /// The raw texts of all parameters; `path` is the one the match was made with.
    pub fn iter<'p>(&self, path: &'p str) -> impl Iterator<Item = &'p str> {
        (0..self.len()).filter_map(move |index| self.get(path, index))
    }

    /// Positions fit: the router refuses longer paths.
    #[inline]
    pub(super) fn push(&mut self, start: usize, end: usize) {
        let range = (start as u16, end as u16);
        match self.inline.get_mut(usize::from(self.length)) {
            Some(slot) => *slot = range,
            None => self.spilled.push(range),
        }
        self.length += 1;
    }

    #[inline]
    pub(super) fn pop(&mut self) {
        self.length = self.length.saturating_sub(1);
        self.spilled.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_beyond_the_inline_ones_are_kept() {
        let path = "abcdefghijkl";
        let mut params = Params::default();
        for at in 0..12 {
            params.push(at, at + 1);
        }
        assert_eq!(params.iter(path).collect::<String>(), path);
        for _ in 0..6 {
            params.pop();
        }
        assert_eq!(params.iter(path).collect::<String>(), "abcdef");
        params.push(11, 12);
        params.push(10, 11);
        params.push(9, 10);
        assert_eq!(params.iter(path).collect::<String>(), "abcdeflkj");
        assert_eq!(params.get(path, 9), None);
    }
}
