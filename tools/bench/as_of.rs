//! Part `as-of`: the histories of all customers of the day's impressions, read from the store on one thread.

use std::hint::black_box;

use lookback::error::Result;
use lookback::history::History;
use lookback::store::Store;

use crate::clock::Spent;
use crate::histories::{customers, histories, impressions, wanted};
use crate::input::Input;
use crate::rounds::Rounds;
use crate::table::{Line, count};

/// Every pass has a cursor of its own. The store's cache is warm, and its files are in the memory of the system, if there is room for them.
pub fn measure(input: &Input, store: &Store, rounds: Rounds) -> Result<Vec<Line>> {
    let customers = customers(&impressions(input)?);
    let lengths: Vec<usize> = histories(input, store, &customers)?.iter().map(History::len).collect();
    let spent = rounds.alone(Box::new(|| {
        let (spent, ()) = Spent::on(|| {
            let (mut cursor, mut history) = (store.cursor(), History::default());
            for customer in &customers {
                cursor.as_of(*customer, wanted(input, store), &mut history)?;
                black_box(&history);
            }
            Ok(())
        })?;
        Ok(spent)
    }))?;
    let asked = customers.len() as u64;
    let actions = lengths.iter().sum::<usize>() as u64;
    let without = lengths.iter().filter(|length| **length == 0).count() as u64;
    let what = format!(
        "{} customers ({} without history), {} actions, {:.1} a customer",
        count(asked),
        count(without),
        count(actions),
        actions as f64 / asked.max(1) as f64
    );
    Ok(vec![Line::timed("as-of", what, &spent, &[(asked, "customers"), (actions, "actions")])])
}
