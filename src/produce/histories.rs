//! Reading histories for rows, and refusing those that must not become any.

use crate::error::{Error, Result};
use crate::files::RowSettings;
use crate::history::History;
use crate::model::{CustomerId, Day, Impression, ItemType};
use crate::store::{AsOf, Cursor, Store};

/// Reads the histories of one day's rows. One per thread.
///
/// Memory: that of a [`Cursor`], and one history.
pub(super) struct Histories<'store> {
    cursor: Cursor<'store>,
    wanted: AsOf,
    cut_off_us: i64,
    item_type: ItemType,
    history: History,
}

impl<'store> Histories<'store> {
    /// One for each thread.
    pub fn of_threads(store: &'store Store, wanted: AsOf, settings: &RowSettings) -> Vec<Self> {
        let threads = 0..rayon::current_num_threads().max(1);
        let of_thread = |_| Histories {
            cursor: store.cursor(),
            wanted,
            cut_off_us: store.settings().zone.start_of(wanted.before),
            item_type: settings.columns.item_type,
            history: History::default(),
        };
        threads.map(of_thread).collect()
    }

    /// How long a history can be.
    pub fn max_history(&self) -> usize {
        self.wanted.max_history
    }

    /// The history of a customer. Fails where the store contradicts itself on when its actions were, and where an item does not fit.
    pub fn read(&mut self, customer: CustomerId) -> Result<&History> {
        let Histories { cursor, wanted, cut_off_us, item_type, history } = self;
        cursor.as_of(customer, *wanted, history)?;
        // The key of a portion says its day, and its times say it again. Where they contradict each other, no row is written.
        let mut times = history.newest_us.iter().chain(&history.times_us);
        if times.any(|time_us| time_us >= cut_off_us) {
            return Err(late(customer, wanted.before));
        }
        match unfit(*item_type, history.item_ids.iter().copied()) {
            None => Ok(history),
            Some(item) => Err(does_not_fit(item, &format!("in the history of customer {}", customer.0), *item_type)),
        }
    }

    /// Fails where an item that was shown does not fit.
    pub fn check(&self, impression: &Impression) -> Result<()> {
        match unfit(self.item_type, impression.elements.iter().map(|element| element.item_id)) {
            None => Ok(()),
            Some(item) => {
                Err(does_not_fit(item, &format!("shown to customer {}", impression.customer.0), self.item_type))
            }
        }
    }
}

/// The first item that is too large for its type.
fn unfit(item_type: ItemType, mut items: impl Iterator<Item = i64>) -> Option<i64> {
    // Not looked at where everything fits.
    if item_type == ItemType::default() { None } else { items.find(|item| !item_type.fits(*item)) }
}

fn does_not_fit(item: i64, where_: &str, item_type: ItemType) -> Error {
    Error::refused(
        format!("the item {item} {where_} does not fit --item-type {}", item_type.name()),
        "produce with --item-type int64",
    )
}

fn late(customer: CustomerId, dt: Day) -> Error {
    Error::corrupt(format!(
        "the store has an action of customer {} among those before {dt} that was not before it",
        customer.0
    ))
}
