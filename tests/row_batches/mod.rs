//! Batches of training rows in memory: the rows of a partition, each once an epoch, whatever the layout, the ranks, the
//! threads and the memory.

mod cells;
mod lent;
mod orders;
mod partitions;
mod parts;
mod resources;

use std::num::NonZeroUsize;
use std::ops::Range;

use lookback::error::Result;
use lookback::model::{Day, ExtraColumn, RowColumns, RowOrder};
use lookback::output::{ItemCells, Layout, RowBatch, TypeCells};
use lookback::produce::RowChoice;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::{Folder, Store};
use lookback::training::{BatchOptions, PartitionOptions, TrainingDay, TrainingOptions};

use crate::support::nights::DT;
use crate::support::output::{Row, read_partition};
use crate::support::program::Bench;

/// What a test asks for, apart from where it lies.
#[derive(Clone, Debug)]
struct Asked {
    dt: &'static str,
    order: RowOrder,
    columns: RowColumns,
    max_history: Option<usize>,
    lookback_days: Option<u32>,
    known_as_of: Option<&'static str>,
    max_rows_per_customer: Option<usize>,
    resources: Resources,
}

fn all_columns() -> RowColumns {
    let with = [ExtraColumn::HistoryLength, ExtraColumn::ActionAges, ExtraColumn::ActionTimes].into_iter().collect();
    RowColumns { with, ..RowColumns::default() }
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            dt: DT,
            order: RowOrder::Shuffled(3),
            columns: all_columns(),
            max_history: None,
            lookback_days: None,
            known_as_of: None,
            max_rows_per_customer: None,
            resources: Resources::default().with_threads(2),
        }
    }
}

impl Asked {
    fn try_prepare(&self, bench: &Bench) -> Result<TrainingDay> {
        let store = Store::open_reader(&Folder::new(&bench.store()))?;
        let day = |text: &str| -> Day { text.parse().unwrap() };
        let options = TrainingOptions::new(bench.input(), day(self.dt))
            .rows(self.rows().lookback_days(self.lookback_days))
            .known_as_of(self.known_as_of.map(day))
            .allow_gaps(true)
            .max_rows_per_customer(self.max_rows_per_customer.and_then(NonZeroUsize::new))
            .resources(self.resources.clone());
        TrainingDay::prepare(&store, &options, &Silent)
    }

    fn rows(&self) -> RowChoice {
        let RowColumns { with, item_type, type_type } = self.columns;
        let rows = RowChoice::default().max_history(self.max_history);
        let rows = rows.with(Some(with)).item_type(Some(item_type)).type_type(Some(type_type));
        rows.order(Some(self.order.kind())).seed(self.order.seed())
    }

    /// The options of the same rows from the partition in `out`.
    fn of_partition(&self, bench: &Bench) -> PartitionOptions {
        PartitionOptions::new(bench.out(), self.dt.parse::<Day>().unwrap())
            .rows(self.rows())
            .max_rows_per_customer(self.max_rows_per_customer.and_then(NonZeroUsize::new))
            .resources(self.resources.clone())
    }

    fn prepare(&self, bench: &Bench) -> TrainingDay {
        self.try_prepare(bench).unwrap()
    }

    /// The rows of a partition that the program writes with the same settings.
    fn produced(&self, bench: &Bench) -> Vec<Row> {
        let option =
            |name: &str, value: Option<String>| value.map_or(String::new(), |value| format!(" {name} {value}"));
        let columns = self.columns;
        let order = format!(
            " --order {}{}",
            self.order.kind().name(),
            option("--seed", self.order.seed().map(|seed| seed.to_string()))
        );
        let with = option("--with", (!columns.with.is_empty()).then(|| columns.with.name()));
        let types = format!(" --item-type {} --type-type {}", columns.item_type.name(), columns.type_type.name());
        let history = option("--max-history", self.max_history.map(|actions| actions.to_string()));
        let lookback = option("--lookback-days", self.lookback_days.map(|days| days.to_string()));
        let known = option("--known-as-of", self.known_as_of.map(str::to_owned));
        let produce = format!("produce --store store --input input --out out --allow-gaps --dt {}", self.dt);
        bench.ok(&format!("{produce}{order}{with}{types}{history}{lookback}{known}"));
        read_partition(&bench.out(), self.dt)
    }
}

/// The rows of batches that count, cell by cell, each batch in all layouts the same.
fn rows(batches: impl IntoIterator<Item = Result<RowBatch>>) -> Vec<Row> {
    batches.into_iter().flat_map(|batch| rows_of(&batch.unwrap())).collect()
}

fn rows_of(batch: &RowBatch) -> Vec<Row> {
    let padded = batch.to_padded().unwrap();
    let length = padded.histories.shape().max_history;
    let cells = |row: usize| -> Range<usize> { row * length..(row + 1) * length };
    let of_row = |row: usize| Row {
        dt: padded.dt.to_string(),
        ranking_id: padded.ranking_ids.as_ref().and_then(|names| names[row].clone()),
        customer_id: padded.customer_ids[row],
        impression_pos: padded.positions[row],
        impression_item_id: padded.impressions[row],
        label: padded.labels[row],
        actions: match &padded.histories.actions {
            ItemCells::Int64(items) => items[cells(row)].to_vec(),
            ItemCells::Int32(items) => items[cells(row)].iter().map(|item| i64::from(*item)).collect(),
        },
        action_types: match &padded.histories.action_types {
            TypeCells::Int32(types) => types[cells(row)].to_vec(),
            TypeCells::Uint8(types) => types[cells(row)].iter().map(|number| i32::from(*number)).collect(),
        },
        history_length: padded.histories.history_lengths.as_ref().map(|lengths| lengths[row]),
        action_ages: padded.histories.action_ages.as_ref().map(|ages| ages[cells(row)].to_vec()),
        action_times: padded.histories.action_times.as_ref().map(|times| times[cells(row)].to_vec()),
    };
    (0..padded.rows() - padded.filled).map(of_row).collect()
}

fn sorted(mut rows: Vec<Row>) -> Vec<String> {
    let mut rows: Vec<String> = rows.drain(..).map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

/// Small batches with everything that can be asked for.
fn small(layout: Layout) -> BatchOptions {
    BatchOptions::default().layout(layout).batch_size(7).ranking_ids(true)
}

fn epoch_rows(day: &TrainingDay, epoch: u64, options: &BatchOptions) -> Vec<Row> {
    rows(day.epoch(epoch).unwrap().batches(options).unwrap())
}

fn asked_again(bench: &Bench, order: RowOrder) -> TrainingDay {
    Asked { order, ..Asked::default() }.prepare(bench)
}
