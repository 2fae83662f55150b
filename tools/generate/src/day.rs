//! Writes one day: its actions into three tables and, where the plan wants them, its impressions.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use chrono::NaiveDate;

use crate::action::Kind;
use crate::action_columns::ActionColumns;
use crate::arrivals::Arrivals;
use crate::failure::Failure;
use crate::folder;
use crate::impression::{Impression, Impressions};
use crate::impression_columns::ImpressionColumns;
use crate::plan::Plan;
use crate::random::{self, Purpose};
use crate::session::DAY_MICROS;
use crate::table::Table;

/// What was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub clicks: u64,
    pub carts: u64,
    pub orders: u64,
    pub late: u64,
    pub ties: u64,
    pub duplicates: u64,
    pub impressions: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clicks, carts, orders, late, ties, duplicates, impressions } = self;
        write!(
            formatter,
            "{clicks} clicks, {carts} carts, {orders} orders \
             (of these {late} late, {ties} ties, {duplicates} duplicates), {impressions} impression rows"
        )
    }
}

/// Writes the day, replacing what an earlier run with as many files wrote of it.
///
/// Part after part, each with random numbers of its own, so that never more than one file of each table is open.
pub fn write(plan: &Plan, date: NaiveDate) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    write_actions(plan, date, &mut counts)?;
    if plan.has_impressions(date) {
        write_impressions(plan, date, &mut counts)?;
    }
    Ok(counts)
}

fn write_actions(plan: &Plan, date: NaiveDate, counts: &mut Counts) -> Result<(), Failure> {
    let folder = |kind: Kind| folder::prepare(&plan.out, kind.table(), date, plan.files_per_day);
    let (click_folder, cart_folder, order_folder) =
        (folder(Kind::Click)?, folder(Kind::AddToCart)?, folder(Kind::Order)?);
    let day_start = i64::from(date.to_epoch_days()) * DAY_MICROS;
    for part in 0..plan.files_per_day {
        let table = |folder: &Path, kind| Table::create(folder, part, ActionColumns::new(kind), 1);
        let mut clicks = table(&click_folder, Kind::Click)?;
        let mut carts = table(&cart_folder, Kind::AddToCart)?;
        let mut orders = table(&order_folder, Kind::Order)?;
        let random = random::of_part(plan.seed, date, Purpose::Actions, part);
        let mut arrivals = Arrivals::new(random, &plan.customers, &plan.items, plan.shares, day_start);
        for _ in rows_of_part(plan.actions_per_day, part, plan.files_per_day) {
            let action = arrivals.draw();
            let (table, count) = match action.kind {
                Kind::Click => (&mut clicks, &mut counts.clicks),
                Kind::AddToCart => (&mut carts, &mut counts.carts),
                Kind::Order => (&mut orders, &mut counts.orders),
            };
            table.push(&action)?;
            *count += 1;
            counts.late += u64::from(action.time < day_start);
        }
        counts.ties += arrivals.ties();
        counts.duplicates += arrivals.duplicates();
        clicks.publish()?;
        carts.publish()?;
        orders.publish()?;
    }
    Ok(())
}

fn write_impressions(plan: &Plan, date: NaiveDate, counts: &mut Counts) -> Result<(), Failure> {
    let folder = folder::prepare(&plan.out, "impressions", date, plan.files_per_day)?;
    for part in 0..plan.files_per_day {
        let mut table = Table::create(&folder, part, ImpressionColumns::new(), plan.list_length as usize)?;
        let random = random::of_part(plan.seed, date, Purpose::Impressions, part);
        let mut impressions = Impressions::new(random, &plan.customers, &plan.items, plan.list_length, date);
        let mut row = Impression::default();
        for number in rows_of_part(plan.impressions_per_day, part, plan.files_per_day) {
            impressions.draw(number, &mut row);
            table.push(&row)?;
            counts.impressions += 1;
        }
        table.publish()?;
    }
    Ok(())
}

/// The numbers, within the day, of the rows of one of `parts` parts: all but equal shares. Fits: none is above `rows`.
fn rows_of_part(rows: u64, part: u32, parts: u32) -> Range<u64> {
    let start = |part: u32| (u128::from(rows) * u128::from(part) / u128::from(parts)) as u64;
    start(part)..start(part + 1)
}
