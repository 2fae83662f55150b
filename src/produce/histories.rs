//! Reads histories for rows, and refuses those that are invalid.

use crate::error::{Error, Result};
use crate::exact::Held;
use crate::history::History;
use crate::message::message;
use crate::model::{CustomerId, Day, Impression, ItemType, Zone};
use crate::output::RowSettings;
use crate::store::{AsOf, Begin, Cursor, Store};

/// Reads the histories for the rows of one day or several. Each thread has its own.
///
/// Memory: that of a [`Cursor`], plus one history.
pub(crate) struct Histories<'store> {
    cursor: Cursor<'store>,
    zone: &'store Zone,
    wanted: AsOf,
    item_type: ItemType,
    history: History,
    begins: Vec<Begin>,
}

impl<'store> Histories<'store> {
    /// Returns one for each thread. `late_since`: how far back to look for late actions (see [`Cursor::find_late`]).
    pub(crate) fn of_threads(
        store: &'store Store,
        wanted: AsOf,
        settings: &RowSettings,
        late_since: Option<Day>,
        threads: usize,
    ) -> Vec<Self> {
        let cursor = || {
            let mut cursor = store.cursor_over_many();
            cursor.find_late(late_since);
            cursor
        };
        let of_thread = |_| Histories {
            cursor: cursor(),
            zone: &store.settings().zone,
            wanted,
            item_type: settings.columns.item_type,
            history: History::default(),
            begins: Vec::new(),
        };
        (0..threads).map(of_thread).collect()
    }

    /// Returns the maximum length of a history.
    pub(crate) fn max_history(&self) -> usize {
        self.wanted.max_history
    }

    /// Returns the history of a customer, and whether it has late actions. Fails if days and times in the store
    /// contradict each other, or if an item does not fit its column type.
    pub(crate) fn read(&mut self, customer: CustomerId) -> Result<(&History, bool)> {
        let (history, begins) = self.read_each(customer, &[self.wanted.before])?;
        Ok((history, begins.first().held("a history begins on each day asked for")?.has_late))
    }

    /// Returns one history that covers several days, given newest first, and where each day's history begins in it (see
    /// [`Cursor::as_of_each`]).
    pub(crate) fn read_each(&mut self, customer: CustomerId, days: &[Day]) -> Result<(&History, &[Begin])> {
        let (newest, earlier) = days.split_first().held("a customer is asked for on some day")?;
        let wanted = AsOf { before: *newest, ..self.wanted };
        self.cursor.as_of_each(customer, wanted, earlier, &mut self.history, &mut self.begins)?;
        // The day of a delta is in its key, and follows from its times too. If the two contradict each other, no row is
        // written.
        for (day, begin) in days.iter().zip(&self.begins) {
            let cut_off_us = self.zone.start_of(*day);
            // Empty if the times were not requested.
            let times = self.history.times_us.iter().skip(begin.at);
            if begin.newest_us.iter().chain(times).any(|time_us| *time_us >= cut_off_us) {
                return Err(late(customer, *day));
            }
        }
        let items = self.history.item_ids.iter().copied();
        check_fits(self.item_type, items, || format!("in the history of customer {}", customer.0))?;
        Ok((&self.history, &self.begins))
    }

    /// Fails if an item of the impression does not fit its column type.
    pub(crate) fn check(&self, impression: &Impression) -> Result<()> {
        let items = impression.elements.iter().map(|element| element.item_id);
        check_fits(self.item_type, items, || format!("shown to customer {}", impression.customer.0))
    }
}

/// Fails, naming the first, if one of the items does not fit `item_type`.
pub(crate) fn check_fits(
    item_type: ItemType,
    mut items: impl Iterator<Item = i64>,
    where_: impl FnOnce() -> String,
) -> Result<()> {
    // Every item fits the default type, so the check is skipped.
    if item_type == ItemType::default() {
        return Ok(());
    }
    let Some(item) = items.find(|item| !item_type.fits(*item)) else { return Ok(()) };
    let where_ = where_();
    Err(Error::refused(
        message!["the item {item} {where_} does not fit ", ItemType, (" {}", item_type.name())],
        message!["produce with ", ItemType, " int64"],
    ))
}

fn late(customer: CustomerId, dt: Day) -> Error {
    Error::corrupt(format!("the store has returned an action of customer {} that is not before {dt}", customer.0))
}
