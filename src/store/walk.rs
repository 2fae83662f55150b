//! Walks over every key of a range and passes unreadable blocks.

use rocksdb::{DB, DBRawIterator};

use super::engine::options::scanning;
use super::handle::Store;

/// Number of bytes of a key as a number, in the search for the end of unreadable data. Every key is shorter.
const NUMBER_BYTES: usize = 32;

/// One step of a [`Walk`].
#[derive(Debug)]
pub(crate) enum Step<'walk> {
    /// A key and its value, in the newest state that the store holds.
    Entry {
        /// The key.
        key: &'walk [u8],
        /// The value.
        value: &'walk [u8],
    },
    /// A range of keys that is unreadable.
    Unreadable(Unreadable),
}

/// A range of keys that is unknown, since the table file block that holds some of them is unreadable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Unreadable {
    /// The last key before the range, or where the walk began.
    pub after: Vec<u8>,
    /// The first key after the range; `None` if everything after it is unreadable.
    pub until: Option<Vec<u8>>,
    /// RocksDB's message, which names the file.
    pub cause: String,
}

impl Unreadable {
    /// Returns whether the range may contain a key.
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        key > self.after.as_slice() && self.until.as_deref().is_none_or(|until| key < until)
    }
}

/// Walks over a range of keys in ascending order. It reads every block with keys of the range, and compares its
/// checksum.
///
/// A walk ends at a key that does not come after the previous key, and reports this as unreadable data: what RocksDB
/// returns from there on is meaningless.
///
/// After an unreadable block, the walk searches for the smallest key from which reading works again: first with steps
/// that double, then by halving. That takes some hundred reads at most.
///
/// Memory: one block of each sorted run.
pub(crate) struct Walk<'store> {
    db: &'store DB,
    iterator: DBRawIterator<'store>,
    until: Option<Vec<u8>>,
    /// The previous key; before the first key, the start of the walk.
    last: Vec<u8>,
    has_given: bool,
    place: Place,
}

/// The position of a walk's iterator.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    /// On the entry that was returned.
    Given,
    /// On the next entry.
    Next,
    /// After the end.
    End,
}

impl Store {
    /// Returns a walk from the key `from` on, up to but excluding `until`.
    pub(crate) fn walk(&self, from: &[u8], until: Option<&[u8]>) -> Walk<'_> {
        let (db, iterator) = (&self.db, seek(&self.db, from));
        Walk {
            db,
            iterator,
            until: until.map(<[u8]>::to_vec),
            last: from.to_vec(),
            has_given: false,
            place: Place::Next,
        }
    }
}

impl Walk<'_> {
    /// Returns the next step; `None` at the end.
    // Not an iterator, since a step borrows from the block that the walk is in.
    pub(crate) fn next(&mut self) -> Option<Step<'_>> {
        match self.place {
            Place::End => return None,
            Place::Given => self.iterator.next(),
            Place::Next => {}
        }
        self.place = Place::Given;
        if self.iterator.key().is_none()
            && let Err(error) = self.iterator.status()
        {
            let after = self.last.clone();
            let until = self.pass_damage();
            self.place = if until.is_some() { Place::Next } else { Place::End };
            return Some(Step::Unreadable(Unreadable { after, until, cause: error.to_string() }));
        }
        if self.iterator.key().is_some_and(|key| !self.is_behind_last(key)) {
            self.place = Place::End;
            let cause = "keys are not in ascending order".to_owned();
            return Some(Step::Unreadable(Unreadable { after: self.last.clone(), until: None, cause }));
        }
        match self.iterator.item() {
            Some((key, value)) if self.until.as_deref().is_none_or(|until| key < until) => {
                self.last.clear();
                self.last.extend_from_slice(key);
                self.has_given = true;
                Some(Step::Entry { key, value })
            }
            _ => {
                self.place = Place::End;
                None
            }
        }
    }

    fn is_behind_last(&self, key: &[u8]) -> bool {
        if self.has_given { key > self.last.as_slice() } else { key >= self.last.as_slice() }
    }

    /// Moves the iterator to the first key after unreadable data, and returns that key; `None` if the range has no such
    /// key.
    fn pass_damage(&mut self) -> Option<Vec<u8>> {
        let mut bad = number(&self.last);
        let bits = NUMBER_BYTES as u32 * 8;
        // Distances 2^0, 2^1, … from the last good key, or from the last key found bad, until one leads out of the
        // damage.
        let out = (0..bits).find(|bit| plus(bad, *bit).is_none_or(|number| self.is_good_from(&number)))?;
        // The first good key lies between: half the distance is added if it is still bad, and so on.
        for bit in (0..out).rev() {
            match plus(bad, bit) {
                Some(middle) if !self.is_good_from(&middle) => bad = middle,
                _ => {}
            }
        }
        self.iterator = seek(self.db, &plus(bad, 0)?);
        let found = self.iterator.key().map(<[u8]>::to_vec);
        found.filter(|found| self.until.as_ref().is_none_or(|until| found < until))
    }

    /// Returns whether reading from a key on yields a key or the end, and no error.
    fn is_good_from(&self, key: &[u8]) -> bool {
        let iterator = seek(self.db, key);
        iterator.valid() || iterator.status().is_ok()
    }
}

/// Returns a new iterator at the first key from `from` on. An iterator that has met damage may report it again where
/// the data is sound.
fn seek<'store>(db: &'store DB, from: &[u8]) -> DBRawIterator<'store> {
    let mut iterator = db.raw_iterator_opt(scanning());
    iterator.seek(from);
    iterator
}

/// Returns a key as a number, most significant byte first.
fn number(key: &[u8]) -> [u8; NUMBER_BYTES] {
    let mut number = [0; NUMBER_BYTES];
    number.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    number
}

/// Returns the number plus 2^`bit`; `None` on overflow.
fn plus(mut number: [u8; NUMBER_BYTES], bit: u32) -> Option<[u8; NUMBER_BYTES]> {
    let mut carried = 1_u16 << (bit % 8);
    for byte in number.iter_mut().rev().skip(usize::try_from(bit / 8).ok()?) {
        let [low, high] = (u16::from(*byte) + carried).to_le_bytes();
        *byte = low;
        carried = u16::from(high);
        if carried == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_like_numbers() {
        let mut highest = number(&[1, 255]);
        assert_eq!(plus(highest, 240), Some(number(&[2])));
        assert_eq!(plus(highest, 248), Some(number(&[2, 255])));
        assert_eq!(plus(number(&[1]), 0).map(|number| number[NUMBER_BYTES - 1]), Some(1));
        highest.fill(255);
        assert_eq!(plus(highest, 0), None);
        assert_eq!(plus(number(&[255]), 255), None);
    }

    #[test]
    fn what_may_lie_in_a_range() {
        let mut range = Unreadable { after: vec![1, 5], until: Some(vec![3]), cause: String::new() };
        let held =
            |range: &Unreadable| [&[1][..], &[1, 5], &[1, 5, 0], &[2], &[3], &[9]].map(|key| range.may_hold(key));
        assert_eq!(held(&range), [false, false, true, true, false, false]);
        range.until = None;
        assert_eq!(held(&range), [false, false, true, true, true, true]);
    }
}
