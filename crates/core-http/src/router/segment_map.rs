//! A small map from text to an index, tuned for short keys and many look-ups.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Below this many keys comparing them one by one is faster than hashing.
const LINEAR: usize = 4;

#[derive(Debug, Default)]
pub(super) struct SegmentMap {
    /// A bit for the length (modulo 64) of each key: most misses end here.
    lengths: u64,
    few: Vec<(Box<[u8]>, u32)>,
    many: HashMap<Box<[u8]>, u32, BuildHasherDefault<SegmentHasher>>,
}

impl SegmentMap {
    #[inline]
    pub(super) fn get(&self, key: &[u8]) -> Option<u32> {
        if self.lengths & length_bit(key) == 0 {
            return None;
        }
        if self.many.is_empty() {
            return self
                .few
                .iter()
                .find(|(known, _)| **known == *key)
                .map(|&(_, index)| index);
        }
        self.many.get(key).copied()
    }

    /// Add a key that is not there yet.
    pub(super) fn insert(&mut self, key: &[u8], index: u32) {
        self.lengths |= length_bit(key);
        if self.many.is_empty() && self.few.len() < LINEAR {
            self.few.push((key.into(), index));
            return;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key.into(), index);
    }
}

const fn length_bit(key: &[u8]) -> u64 {
    1 << (key.len() % 64)
}

/// Multiply and fold, eight bytes at a time. Keys are the developer's own patterns, so no request can make
/// them collide and a keyed hash would only cost time.
#[derive(Debug, Default)]
pub(super) struct SegmentHasher(u64);

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl SegmentHasher {
    #[inline]
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for SegmentHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        // Two overlapping reads cover a tail of four to seven bytes, three single bytes a shorter one.
        if let (Some(first), Some(last)) = (tail.first_chunk::<4>(), tail.last_chunk::<4>()) {
            self.mix(
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32,
            );
        } else if let (Some(&first), Some(&last)) = (tail.first(), tail.last()) {
            self.mix(
                u64::from(first) | u64::from(tail[tail.len() / 2]) << 8 | u64::from(last) << 16,
            );
        }
    }

    #[inline]
    fn write_usize(&mut self, length: usize) {
        self.mix(length as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        // The table uses the lowest and the highest bits; a product is only good in its upper half.
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_before_and_after_the_map_grows() {
        let keys: Vec<String> = (0..200)
            .map(|n| "x".repeat(n % 20) + &n.to_string())
            .collect();
        let mut map = SegmentMap::default();
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(map.get(key.as_bytes()), None);
            map.insert(key.as_bytes(), index as u32);
            for (expected, known) in keys[..=index].iter().enumerate() {
                assert_eq!(map.get(known.as_bytes()), Some(expected as u32));
            }
        }
    }

    #[test]
    fn hashes_of_like_keys_spread() {
        let hash = |text: String| {
            let mut hasher = SegmentHasher::default();
            hasher.write(text.as_bytes());
            hasher.finish()
        };
        let low: std::collections::HashSet<u64> = (0..1024)
            .map(|n| hash(format!("/route/{n:04}")) % 1024)
            .collect();
        // Throwing 1024 balls into 1024 bins leaves about 647 bins used.
        assert!(low.len() > 560, "{}", low.len());
    }
}
