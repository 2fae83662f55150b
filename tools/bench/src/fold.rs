//! Part `fold`: customers' days followed from the first to the last, which finds their keyframes; in memory, on one
//! thread.

use std::hint::black_box;

use lookback::error::Result;
use lookback::internals::history::plan_keyframes;
use lookback::model::{Action, CustomerId, Day, Duplicates};
use lookback::store::Store;
use lookback::text::count;

use crate::clock::Spent;
use crate::histories::{customers, impressions};
use crate::input::Input;
use crate::rounds::Rounds;
use crate::table::Line;

/// From so many actions on no more customers are taken: 24 bytes each, twice.
const ACTIONS_MAX: usize = 10_000_000;

/// A customer's days, ascending, with the deltas of each.
type Days = Vec<(Day, Vec<Vec<Action>>)>;

/// The customers are those of the day's impressions.
pub fn measure(input: &Input, store: &Store, rounds: Rounds) -> Result<Vec<Line>> {
    let (mut followed, mut actions, mut days) = (Vec::new(), 0, 0);
    for customer in customers(&impressions(input)?) {
        let of_customer = days_of(store, customer)?;
        if of_customer.is_empty() {
            continue;
        }
        days += of_customer.len();
        actions += of_customer.iter().flat_map(|(_, deltas)| deltas).map(Vec::len).sum::<usize>();
        followed.push(of_customer);
        if actions >= ACTIONS_MAX {
            break;
        }
    }
    let max_history = store.settings().max_history;
    let spent = rounds.alone(Box::new(|| {
        let (spent, ()) = Spent::on(|| {
            for days in &followed {
                black_box(plan_keyframes(Vec::new(), days, max_history, Duplicates::Keep));
            }
            Ok(())
        })?;
        Ok(spent)
    }))?;
    let what = format!(
        "{} customers, {} days, {} actions",
        count(followed.len() as u64),
        count(days as u64),
        count(actions as u64)
    );
    Ok(vec![Line::timed("fold", what, &spent, &[(actions as u64, "actions"), (days as u64, "days")])])
}

fn days_of(store: &Store, customer: CustomerId) -> Result<Days> {
    let tail = store.cursor().tail(customer, Day::FIRST, None)?;
    let mut days: Days = Vec::new();
    for delta in tail.deltas.into_iter().rev() {
        match days.last_mut() {
            Some((day, deltas)) if *day == delta.day => deltas.push(delta.actions),
            _ => days.push((delta.day, vec![delta.actions])),
        }
    }
    Ok(days)
}
