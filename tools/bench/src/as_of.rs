//! Part `as-of`: the histories of all customers of the day's impressions, read from the store on one thread, from table
//! files and through RocksDB.

use std::hint::black_box;

use lookback::error::{Error, Result};
use lookback::internals::history::History;
use lookback::internals::store::Cursor;
use lookback::store::Store;
use lookback::text::count;

use crate::clock::Spent;
use crate::histories::{customers, histories, impressions, wanted};
use crate::input::Input;
use crate::rounds::{Pass, Ratio, Rounds};
use crate::table::Line;

/// The two in turns, after their histories have been compared. Every pass has a cursor of its own. The store's cache is
/// warm, and its files are in the memory of the system, if there is room for them.
pub fn measure(input: &Input, store: &Store, rounds: Rounds) -> Result<Vec<Line>> {
    let customers = customers(&impressions(input)?);
    let through_tables = histories(input, store, &customers)?;
    let read = |cursor: &mut Cursor<'_>, each: &mut dyn FnMut(usize, &History)| -> Result<()> {
        let mut history = History::default();
        for (place, customer) in customers.iter().enumerate() {
            cursor.as_of(*customer, wanted(input, store), &mut history)?;
            each(place, &history);
        }
        Ok(())
    };
    let mut differ = 0;
    read(&mut store.cursor(), &mut |place, history| {
        differ += usize::from(through_tables.get(place) != Some(history));
    })?;
    if differ > 0 {
        return Err(Error::corrupt(format!("{differ} histories are others in the table files than through RocksDB")));
    }
    let each = |_: usize, history: &History| {
        black_box(history);
    };
    let tables: Pass<'_> = Box::new(|| Ok(Spent::on(|| read(&mut store.cursor_over_many(), &mut each.clone()))?.0));
    let rocksdb: Pass<'_> = Box::new(|| Ok(Spent::on(|| read(&mut store.cursor(), &mut each.clone()))?.0));
    let [of_tables, of_rocksdb] = rounds.in_turns([tables, rocksdb])?;

    let asked = customers.len() as u64;
    let actions = through_tables.iter().map(History::len).sum::<usize>() as u64;
    let without = through_tables.iter().filter(|history| history.is_empty()).count() as u64;
    let what = format!(
        "{} customers ({} without history), {} actions, {:.1} a customer",
        count(asked),
        count(without),
        count(actions),
        actions as f64 / asked.max(1) as f64
    );
    let rates = [(asked, "customers"), (actions, "actions")];
    let wall = Ratio::of_rates(&of_tables, &of_rocksdb, |spent| spent.wall_s);
    let cpu = Ratio::of_rates(&of_tables, &of_rocksdb, |spent| spent.cpu_s);
    Ok(vec![
        Line::timed("as-of", what, &of_tables, &rates).with_ratio("tables/RocksDB", wall, cpu),
        Line::timed("as-of, through RocksDB", "the same".to_owned(), &of_rocksdb, &rates),
    ])
}
