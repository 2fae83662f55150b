//! Compares a list of the store with the expected list, leaf by leaf.

use super::delta::UNUSUAL_BYTES;
use super::fault::{Fault, Report};
use crate::error::Result;
use crate::format::{CustomerState, CutLeaf, Entry, Key, LeafCutter, TouchedDay, decode_leaf, encode_leaf};
use crate::model::{CustomerId, Day};
use crate::store::{Step, Store, Unreadable, Walk};

/// A line of a list that can be described in words.
pub(super) trait Line: Entry {
    /// Describes the line without its customer.
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

/// Receives the lines that a list should have, customers ascending, and reports each leaf of the store that differs
/// from the leaf that these lines imply.
///
/// Memory: one expected leaf and one leaf of the store.
pub(super) struct ListCheck<'store, E> {
    stored: Walk<'store>,
    key: fn(Day, CustomerId) -> Key,
    anchor: Day,
    /// The next leaf of the store.
    ahead: Option<(CustomerId, Vec<u8>)>,
    cutter: LeafCutter<E>,
    /// Whether lines of the open leaf are unknown.
    doubtful: bool,
    /// Whether the leaves between the open one and the next are unknown too.
    gap: bool,
    /// Whether the next line is the first after a gap, so that its customer may have had other lines in the gap.
    is_behind_gap: bool,
    /// The ranges of the store's list that cannot be read.
    unreadable: Vec<Unreadable>,
    pub leaves: u64,
}

impl<'store, E: Line> ListCheck<'store, E> {
    /// Returns a check of the list below `prefix`; `key` builds the key of a leaf from `anchor` and first customer.
    pub(super) fn new(store: &'store Store, prefix: &[u8], anchor: Day, key: fn(Day, CustomerId) -> Key) -> Self {
        let mut until = prefix.to_vec();
        // No key of a list is this long.
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

    /// Adds the next line.
    pub(super) fn push(&mut self, customer: CustomerId, line: E, report: Report<'_>) -> Result<()> {
        if let Some(leaf) = self.cutter.push(customer, line) {
            self.judge(&leaf, Some(customer), report)?;
        }
        self.doubtful |= std::mem::take(&mut self.is_behind_gap);
        Ok(())
    }

    /// Adds a line of which only the customer is known.
    pub(super) fn push_unknown(&mut self, customer: CustomerId, any: E, report: Report<'_>) -> Result<()> {
        self.push(customer, any, report)?;
        self.doubtful = true;
        Ok(())
    }

    /// Records that the next lines are unknown, up to the next one added.
    pub(super) fn push_gap(&mut self) {
        (self.doubtful, self.gap, self.is_behind_gap) = (true, true, true);
    }

    /// Reports the remaining faults.
    pub(super) fn finish(&mut self, report: Report<'_>) -> Result<()> {
        if let Some(leaf) = self.cutter.finish() {
            self.judge(&leaf, None, report)?;
        }
        self.pass(None, report)
    }

    /// Compares a leaf with the store's leaf, after the store's leaves before it. `next`: the first customer of the
    /// leaf after it.
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
            // The expected leaves in the gap are unknown.
            self.pass(next, &mut |_| Ok(()))?;
        }
        (self.doubtful, self.gap) = (false, false);
        Ok(())
    }

    /// Reports the leaves of the store before `until`, or all remaining leaves, since none of them should exist.
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

    /// Returns the next leaf of the store.
    fn read(&mut self) -> Result<Option<(CustomerId, Vec<u8>)>> {
        loop {
            match self.stored.next() {
                None => return Ok(None),
                // The pass over all keys reports these.
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

/// Describes the first of some lines, and the number of the others.
fn named<E: Line>(lines: &[(CustomerId, E)]) -> String {
    let Some((customer, line)) = lines.first() else { return "no line".to_owned() };
    let first = format!("customer {} {}", customer.0, line.words());
    match lines.len() - 1 {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
