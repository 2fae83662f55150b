//! A list of the store beside what it should be, leaf by leaf.

use super::delta::UNUSUAL_BYTES;
use super::fault::{Fault, Report};
use crate::error::Result;
use crate::format::{CustomerState, CutLeaf, Entry, Key, LeafCutter, TouchedDay, decode_leaf, encode_leaf};
use crate::model::{CustomerId, Day};
use crate::store::{Step, Store, Unreadable, Walk};

/// A line of a list, with words for it.
pub(super) trait Line: Entry {
    /// What it says of its customer.
    fn words(&self) -> String;
}

impl Line for TouchedDay {
    fn words(&self) -> String {
        format!("on {}", self.0)
    }
}

impl Line for CustomerState {
    fn words(&self) -> String {
        let keyframe = self.keyframe.map_or("none".to_owned(), |day| day.to_string());
        let (deltas, actions) = (self.since.deltas, self.since.actions);
        format!("with newest day {}, keyframe {keyframe}, {deltas} deltas and {actions} actions since", self.newest)
    }
}

/// Takes the lines that a list should have, customers ascending, and reports each leaf of the store that is not what
/// they make.
///
/// Memory: one leaf as it should be and one as it is.
pub(super) struct ListCheck<'store, E> {
    stored: Walk<'store>,
    key: fn(Day, CustomerId) -> Key,
    anchor: Day,
    /// The next leaf of the store.
    ahead: Option<(CustomerId, Vec<u8>)>,
    cutter: LeafCutter<E>,
    /// Whether lines of the open leaf are not known.
    doubtful: bool,
    /// Whether it is not known, either, which leaves there are between the open one and the next.
    gap: bool,
    /// Whether the next line is the first behind a gap, so that its customer may have had others in it.
    is_behind_gap: bool,
    /// What of the store's list cannot be read.
    unreadable: Vec<Unreadable>,
    pub leaves: u64,
}

impl<'store, E: Line> ListCheck<'store, E> {
    /// For the list whose keys begin with `prefix`; `key` gives them for `anchor` and where a leaf begins.
    pub fn new(store: &'store Store, prefix: &[u8], anchor: Day, key: fn(Day, CustomerId) -> Key) -> Self {
        let mut until = prefix.to_vec();
        // No key of a list is as long as this.
        until.extend([0xff; 16]);
        ListCheck {
            stored: store.walk(prefix, Some(&until)),
            key,
            anchor,
            ahead: None,
            cutter: LeafCutter::new(),
            doubtful: false,
            gap: false,
            is_behind_gap: false,
            unreadable: Vec::new(),
            leaves: 0,
        }
    }

    /// Takes the next line.
    pub fn push(&mut self, customer: CustomerId, line: E, report: Report<'_>) -> Result<()> {
        if let Some(leaf) = self.cutter.push(customer, line) {
            self.judge(&leaf, Some(customer), report)?;
        }
        self.doubtful |= std::mem::take(&mut self.is_behind_gap);
        Ok(())
    }

    /// Takes a line of which only the customer is known.
    pub fn push_unknown(&mut self, customer: CustomerId, any: E, report: Report<'_>) -> Result<()> {
        self.push(customer, any, report)?;
        self.doubtful = true;
        Ok(())
    }

    /// Takes that nobody knows which lines come next, until one does.
    pub fn push_gap(&mut self) {
        (self.doubtful, self.gap, self.is_behind_gap) = (true, true, true);
    }

    /// Reports what is left.
    pub fn finish(&mut self, report: Report<'_>) -> Result<()> {
        if let Some(leaf) = self.cutter.finish() {
            self.judge(&leaf, None, report)?;
        }
        self.pass(None, report)
    }

    /// Compares a leaf with the store's, after those of the store that lie before it. `next`: where the one behind it
    /// begins.
    fn judge(&mut self, (first, lines): &CutLeaf<E>, next: Option<CustomerId>, report: Report<'_>) -> Result<()> {
        self.leaves += 1;
        self.pass(Some(*first), report)?;
        let key = (self.key)(self.anchor, *first);
        let held = self.ahead.take_if(|(ahead, _)| ahead == first).map(|(_, bytes)| bytes);
        let mut bytes = Vec::new();
        encode_leaf(*first, self.anchor, lines, &mut bytes);
        let is_lost = held.is_none() && self.unreadable.iter().any(|range| range.may_hold(&key.encode()));
        if !self.doubtful && !is_lost && held.as_ref() != Some(&bytes) {
            let what = match held {
                None => format!("is missing, with {}", named(lines)),
                Some(held) => self.difference(*first, &held, lines),
            };
            report(Fault::derived(key, what, Some(bytes)))?;
        }
        if self.gap {
            // Which leaves there should be in the gap is not known.
            self.pass(next, &mut |_| Ok(()))?;
        }
        (self.doubtful, self.gap) = (false, false);
        Ok(())
    }

    /// Reports the leaves of the store before `until`, or all that are left, since none of them should be there.
    fn pass(&mut self, until: Option<CustomerId>, report: Report<'_>) -> Result<()> {
        loop {
            if self.ahead.is_none() {
                self.ahead = self.read()?;
            }
            let Some((first, bytes)) = self.ahead.take_if(|(ahead, _)| until.is_none_or(|until| *ahead < until)) else {
                return Ok(());
            };
            if !self.gap {
                let key = (self.key)(self.anchor, first);
                let what = match self.lines(first, &bytes) {
                    Ok(lines) => format!("should not be there, with {}", named(&lines)),
                    Err(_) => "should not be there".to_owned(),
                };
                report(Fault::derived(key, what, None))?;
            }
        }
    }

    /// The next leaf of the store.
    fn read(&mut self) -> Result<Option<(CustomerId, Vec<u8>)>> {
        loop {
            match self.stored.next() {
                None => return Ok(None),
                // Whoever reads all keys reports these.
                Some(Step::Unreadable(range)) => self.unreadable.push(range),
                Some(Step::Entry { key, value }) => {
                    if let Ok(Key::Index { first, .. } | Key::CustomerIndex { first }) = Key::decode(key) {
                        return Ok(Some((first, value.to_vec())));
                    }
                }
            }
        }
    }

    fn lines(&self, first: CustomerId, bytes: &[u8]) -> Result<Vec<(CustomerId, E)>> {
        let mut lines = Vec::new();
        decode_leaf(first, self.anchor, bytes, &mut lines)?;
        Ok(lines)
    }

    fn difference(&self, first: CustomerId, held: &[u8], lines: &[(CustomerId, E)]) -> String {
        let held = match self.lines(first, held) {
            Ok(held) => held,
            Err(error) => return format!("cannot be decoded ({})", error.what()),
        };
        let only = |these: &[(CustomerId, E)], those: &[(CustomerId, E)]| -> Vec<(CustomerId, E)> {
            these.iter().filter(|line| !those.contains(line)).copied().collect()
        };
        match (only(lines, &held).as_slice(), only(&held, lines).as_slice()) {
            ([], []) => UNUSUAL_BYTES.to_owned(),
            (lacking, []) => format!("lacks {}", named(lacking)),
            ([], extra) => format!("has {}, which the deltas do not have", named(extra)),
            (lacking, extra) => format!("has {} where the deltas have {}", named(extra), named(lacking)),
        }
    }
}

/// Names the first of some lines, and how many more there are.
fn named<E: Line>(lines: &[(CustomerId, E)]) -> String {
    let Some((customer, line)) = lines.first() else { return "no line".to_owned() };
    let first = format!("customer {} {}", customer.0, line.words());
    match lines.len() - 1 {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
