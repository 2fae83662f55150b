//! The plots of a whole store: which days are there, and how long histories are.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::Unit;
use super::card::{Card, Cell, Table, heads};
use super::chart::{BLUE, Chart, Places, Point, Shape};
use super::partitions::share;
use super::plots::{Figures, at};
use crate::model::Day;
use crate::text::{count, percent};

impl Figures<'_> {
    pub(super) fn coverage(&self) -> Option<Card> {
        let held: BTreeSet<Day> = self.store.batches.iter().map(|batch| batch.dt).collect();
        let missing: BTreeSet<Day> = self.store.gaps.iter().copied().collect();
        let made: BTreeMap<Day, u64> = self.partitions().iter().map(|one| (one.dt, one.rows)).collect();
        let first = held.first().into_iter().chain(made.keys().next()).min().copied()?;
        let last = held.last().into_iter().chain(made.keys().next_back()).max().copied()?;
        let state = |day: &Day| match (held.contains(day), missing.contains(day)) {
            (true, _) => "held",
            (false, true) => "missing",
            _ => "none",
        };
        let points = first.through(last).map(|day| {
            let (batch, rows) = (state(&day), made.get(&day));
            let value = [("held", 1.0), ("missing", 0.0)].into_iter().find(|(name, _)| *name == batch);
            let rows_in_words = match (self.partitions, rows) {
                (None, _) => String::new(),
                (_, Some(rows)) => format!(", {} rows", count(*rows)),
                (_, None) => ", no rows produced".to_owned(),
            };
            let batch = if batch == "none" { "no batch".to_owned() } else { format!("batch {batch}") };
            Point {
                at: at(day),
                values: vec![value.map(|(_, value)| value), rows.map(|_| 1.0)],
                tooltip: format!("{day}: {batch}{rows_in_words}"),
                marked: Vec::new(),
            }
        });
        let rows = first.through(last).map(|day| {
            let rows = if made.contains_key(&day) { "produced" } else { "none" };
            vec![Cell::plain(day), Cell::plain(state(&day)), Cell::plain(rows)]
        });
        let mut series = vec![("batches".to_owned(), BLUE)];
        if !made.is_empty() {
            series.push(("rows".to_owned(), BLUE));
        }
        let gaps = self.store.gaps.len();
        Some(Card {
            id: "coverage",
            title: "Which days are there",
            subtitle: "Batches in the store, and days with training rows".to_owned(),
            chart: Chart {
                places: Places::Days(first, last),
                shape: Shape::Cells,
                unit: Unit::Count,
                series,
                points: points.collect(),
                gaps: Vec::new(),
                description: format!(
                    "Days from {first} to {last}: {} batches held, {gaps} missing between them, {} days with rows.",
                    self.store.batches.len(),
                    self.partitions().len()
                ),
            },
            table: Table {
                columns: heads(&[("dt", "Day"), ("batch", "Batch"), ("rows", "Rows")]),
                rows: rows.collect(),
            },
        })
    }

    pub(super) fn histories(&self) -> Card {
        let lengths = &self.store.histories;
        let (buckets, customers) = (lengths.buckets(), lengths.customers());
        let name = |from: usize, to: usize| match (from == to, to == lengths.max_history()) {
            (_, true) => format!("{} (cap)", count(to as u64)),
            (true, false) => count(from as u64),
            (false, false) => format!("{}–{}", count(from as u64), count(to as u64)),
        };
        let points = buckets.iter().enumerate().map(|(place, bucket)| Point {
            at: place as f64,
            values: vec![Some(bucket.customers as f64)],
            tooltip: format!(
                "{} actions: {} customers ({})",
                name(bucket.from, bucket.to),
                count(bucket.customers),
                share(bucket.customers, customers).map(percent).unwrap_or_default()
            ),
            marked: Vec::new(),
        });
        let rows = buckets.iter().map(|bucket| {
            let of_all = Cell::share(share(bucket.customers, customers));
            vec![
                Cell { value: bucket.from.to_string(), text: name(bucket.from, bucket.to) },
                Cell::plain(bucket.to),
                Cell::count(bucket.customers),
                of_all,
            ]
        });
        let at_cap = share(lengths.at_cap(), customers).map(percent).unwrap_or_else(|| "none".to_owned());
        Card {
            id: "histories",
            title: "How long histories are",
            subtitle: format!(
                "Customers by the number of actions in their history; {at_cap} are at the cap of {}, the median has {}",
                count(lengths.max_history() as u64),
                lengths.median().map_or_else(|| "none".to_owned(), |median| count(median as u64))
            ),
            chart: Chart {
                places: Places::Named(buckets.iter().map(|bucket| name(bucket.from, bucket.to)).collect()),
                shape: Shape::Bars,
                unit: Unit::Count,
                series: vec![("customers".to_owned(), BLUE)],
                points: points.collect(),
                gaps: Vec::new(),
                description: format!(
                    "Histories of {} customers have from 1 to {} actions; {at_cap} are at the cap.",
                    count(customers),
                    count(lengths.max_history() as u64)
                ),
            },
            table: Table {
                columns: heads(&[
                    ("from", "Actions"),
                    ("to", "At most"),
                    ("customers", "Customers"),
                    ("share", "Share"),
                ]),
                rows: rows.collect(),
            },
        }
    }
}
