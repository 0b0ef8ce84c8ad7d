//! Request ids: the client's when it is presentable, else a fresh UUID.

use std::cell::RefCell;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use uuid::{Builder, Uuid};

/// Longest id taken from a client, in bytes.
const MAX_LENGTH: usize = 128;

/// Length of a UUID as text.
const UUID_LENGTH: usize = uuid::fmt::Hyphenated::LENGTH;

/// What fresh ids are: RFC 9562's version 4 or 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FreshIds {
    #[default]
    Random,
    /// They sort by the time they were made at.
    Sorted,
}

/// The id of one request: visible ASCII, 1 to 128 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Text);

/// Fresh ids need no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Text {
    Fresh([u8; UUID_LENGTH]),
    Given(Box<str>),
}

impl RequestId {
    /// The incoming id if it can be shown anywhere as it is, else a fresh one.
    pub fn accept_or_new(incoming: Option<&[u8]>, fresh: FreshIds) -> Self {
        incoming
            .and_then(Self::accept)
            .unwrap_or_else(|| match fresh {
                FreshIds::Random => Self::fresh(),
                FreshIds::Sorted => Self::fresh_at(unix_millis()),
            })
    }

    /// The id, if it is 1 to 128 bytes of visible ASCII.
    pub fn accept(incoming: &[u8]) -> Option<Self> {
        if incoming.is_empty()
            || incoming.len() > MAX_LENGTH
            || !incoming.iter().all(u8::is_ascii_graphic)
        {
            return None;
        }
        std::str::from_utf8(incoming)
            .ok()
            .map(|text| Self(Text::Given(text.into())))
    }

    /// A random UUID (version 4). Ids are labels, not secrets: the generator is fast and seeded by the system.
    pub fn fresh() -> Self {
        Self::from_uuid(Builder::from_random_bytes(random_bytes()).into_uuid())
    }

    /// A UUID that sorts by time (version 7), for the given milliseconds since 1970.
    pub fn fresh_at(unix_millis: u64) -> Self {
        let [random @ .., _, _, _, _, _, _] = random_bytes();
        Self::from_uuid(Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            // A UUID's text is ASCII, so the other case is never met.
            Text::Fresh(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
            Text::Given(text) => text,
        }
    }

    pub fn to_header_value(&self) -> HeaderValue {
        // Not by way of `as_str`, which would look through the bytes once more.
        let bytes = match &self.0 {
            Text::Fresh(bytes) => bytes.as_slice(),
            Text::Given(text) => text.as_bytes(),
        };
        // Visible ASCII is what header values are made of, so the other case is never met.
        HeaderValue::from_bytes(bytes).unwrap_or(HeaderValue::from_static(""))
    }

    fn from_uuid(uuid: Uuid) -> Self {
        let mut text = [0; UUID_LENGTH];
        uuid.hyphenated().encode_lower(&mut text);
        Self(Text::Fresh(text))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RequestId({})", self.as_str())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Forget this thread's generator. To be called in the child after a fork, which would else repeat its parent's ids.
pub fn reseed() {
    GENERATOR.with_borrow_mut(|generator| *generator = Generator::seeded());
}

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::seeded());
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Two counters with random odd strides, each scrambled: long periods and no system call per id.
struct Generator {
    state: [u64; 2],
    stride: [u64; 2],
}

impl Generator {
    fn seeded() -> Self {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        let (other_high, other_low) = Uuid::new_v4().as_u64_pair();
        Self {
            state: [high, low],
            stride: [other_high | 1, other_low | 1],
        }
    }

    fn next(&mut self, lane: usize) -> u64 {
        self.state[lane] = self.state[lane].wrapping_add(self.stride[lane]);
        scramble(self.state[lane])
    }
}

/// Spread every bit of a word over the whole of it: two rounds of multiply and fold.
fn scramble(word: u64) -> u64 {
    let word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^ (word >> 32)
}

fn random_bytes() -> [u8; 16] {
    GENERATOR.with_borrow_mut(|generator| {
        let words = u128::from(generator.next(0)) << 64 | u128::from(generator.next(1));
        words.to_ne_bytes()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn presentable_ids_are_kept() {
        for text in ["a", "req-123/~!", &"x".repeat(128)] {
            assert_eq!(
                RequestId::accept_or_new(Some(text.as_bytes()), FreshIds::Random).as_str(),
                text
            );
        }
    }

    #[test]
    fn other_ids_are_replaced() {
        let long = "x".repeat(129);
        for bad in ["", " ", "a b", "a\u{7f}", "é", "a\r\nb", long.as_str()] {
            let id = RequestId::accept_or_new(Some(bad.as_bytes()), FreshIds::Random);
            assert_eq!(
                Uuid::parse_str(id.as_str()).unwrap().get_version_num(),
                4,
                "{bad:?}"
            );
        }
        assert_ne!(
            RequestId::accept_or_new(None, FreshIds::Random),
            RequestId::accept_or_new(None, FreshIds::Random)
        );
    }

    #[test]
    fn fresh_ids_differ_also_between_threads_and_after_a_new_seed() {
        let many = || (0..5000).map(|_| RequestId::fresh()).collect::<Vec<_>>();
        let other = std::thread::spawn(many);
        let mut all = many();
        reseed();
        all.extend(many());
        all.extend(other.join().unwrap());
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 15_000);
    }

    #[test]
    fn each_free_bit_is_set_about_half_the_time() {
        const ROUNDS: u32 = 4000;
        let mut counts = [0u32; 128];
        for _ in 0..ROUNDS {
            let bits = u128::from_ne_bytes(random_bytes());
            for (bit, count) in counts.iter_mut().enumerate() {
                *count += (bits >> bit & 1) as u32;
            }
        }
        // Eight standard deviations (each is 32) to either side.
        assert!(
            counts.iter().all(|&count| count.abs_diff(ROUNDS / 2) < 256),
            "{counts:?}"
        );
    }

    #[test]
    fn fresh_ids_are_of_the_version_asked_for() {
        let id = RequestId::accept_or_new(None, FreshIds::Sorted);
        let uuid = Uuid::parse_str(id.as_str()).unwrap();
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(
            RequestId::accept_or_new(Some(b"mine"), FreshIds::Sorted).as_str(),
            "mine"
        );
    }

    #[test]
    fn version_seven_sorts_by_time() {
        let ids =
            [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map(RequestId::fresh_at);
        assert!(ids.is_sorted_by(|earlier, later| earlier.as_str() < later.as_str()));
        assert_eq!(
            Uuid::parse_str(ids[0].as_str()).unwrap().get_version_num(),
            7
        );
    }

    proptest! {
        #[test]
        fn any_id_makes_a_header(incoming in prop::collection::vec(any::<u8>(), 0..140)) {
            let id = RequestId::accept_or_new(Some(&incoming), FreshIds::Random);
            let header = id.to_header_value();
            prop_assert_eq!(header.as_bytes(), id.as_str().as_bytes());
            prop_assert!((1..=128).contains(&id.as_str().len()));
        }
    }
}
