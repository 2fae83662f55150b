//! Part `batches`: training rows as batches in memory, beside what bounds them: histories that are padded in memory
//! already, of which the rows of a batch are copied.

use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lookback::error::{Error, Result};
use lookback::internals::parallel::ReadAhead;
use lookback::model::OrderKind;
use lookback::output::{ItemCells, Layout, RowBatch, TypeCells};
use lookback::produce::RowChoice;
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::Store;
use lookback::text::count;
use lookback::training::{BatchOptions, Epoch, TrainingDay, TrainingOptions};

use crate::clock::Spent;
use crate::input::Input;
use crate::rounds::{Pass, Ratio, Rounds};
use crate::table::Line;

/// Rows of a batch.
const BATCH_ROWS: usize = 4_096;

/// Batches of an epoch that are measured: all of data set M, whose histories fit in memory when they are padded.
const BATCHES_MAX: usize = 49;

/// Of the rows of the ceiling in a second, how many padded batches have at least.
const RATIO_MIN: f64 = 0.6;

/// Preparing a day up to its first batch; then an epoch in each layout, padded in turns with the ceiling.
pub fn measure(input: &Input, store: &Store, resources: &Resources, rounds: Rounds) -> Result<Vec<Line>> {
    let first: Pass<'_> = Box::new(|| {
        Ok(Spent::on(|| {
            let day = prepare(input, store, resources, OrderKind::Shuffled)?;
            day.epoch(0)?.batches(&BatchOptions::default())?.next().transpose()
        })?
        .0)
    });
    let of_first = rounds.alone(first)?;
    let shuffled = prepare(input, store, resources, OrderKind::Shuffled)?;
    let carousel = prepare(input, store, resources, OrderKind::Carousel)?.epoch(0)?;
    let ceiling = Ceiling::of(&shuffled, resources)?;
    let all_rows = shuffled.rows();
    let rows = all_rows.min((BATCH_ROWS * BATCHES_MAX) as u64);
    let resumed: Pass<'_> = Box::new(|| {
        let options = BatchOptions::default().first_row(all_rows / 2);
        Ok(Spent::on(|| shuffled.epoch(1)?.batches(&options)?.next().transpose())?.0)
    });
    let of_resumed = rounds.alone(resumed)?;
    let shuffled = shuffled.epoch(0)?;
    let pass = |epoch: &Epoch, layout: Layout| {
        let options = BatchOptions::default().layout(layout).batch_size(BATCH_ROWS);
        Ok(Spent::on(|| {
            let batches = epoch.batches(&options)?;
            let used = batches.used();
            batches.take(BATCHES_MAX).try_for_each(|batch| batch.map(|batch| used.give(black_box(batch))))
        })?
        .0)
    };
    let [of_ceiling, padded, dedup, jagged] = rounds.in_turns([
        Box::new(|| Ok(Spent::on(|| ceiling.copy())?.0)),
        Box::new(|| pass(&shuffled, Layout::Padded)),
        Box::new(|| pass(&carousel, Layout::Dedup)),
        Box::new(|| pass(&carousel, Layout::Jagged)),
    ])?;
    let wall = Ratio::of_rates(&padded, &of_ceiling, |spent| spent.wall_s);
    let cpu = Ratio::of_rates(&padded, &of_ceiling, |spent| spent.cpu_s);
    let judgement = if wall.median >= RATIO_MIN { "holds" } else { "does not hold" };
    let what = |what: &str| format!("{what}, {} rows of {BATCH_ROWS}, {} threads", count(rows), resources.threads());
    let (rates, all) = ([(rows, "rows")], [(all_rows, "rows")]);
    Ok(vec![
        Line::timed("batches, first", "a day from the store up to its first batch".to_owned(), &of_first, &all),
        Line::timed("batches, resumed", "the next epoch up to a batch in its middle".to_owned(), &of_resumed, &all),
        Line::timed("batches, ceiling", what("copied from padded histories, shuffled"), &of_ceiling, &rates),
        Line::timed("batches, padded", what("shuffled"), &padded, &rates)
            .with_ratio("padded/ceiling", wall, cpu)
            .judged(&format!("; at least {RATIO_MIN} {judgement}")),
        Line::timed("batches, dedup", what("carousel"), &dedup, &rates),
        Line::timed("batches, jagged", what("carousel"), &jagged, &rates),
    ])
}

fn prepare(input: &Input, store: &Store, resources: &Resources, order: OrderKind) -> Result<TrainingDay> {
    let rows = RowChoice::default().order(Some(order)).seed(Some(0));
    let options = TrainingOptions::new(&input.root, input.day).rows(rows).allow_gaps(true);
    TrainingDay::prepare(store, &options.resources(resources.clone()), &Silent)
}

/// All histories of the day, padded, and which of them each row of each batch has.
struct Ceiling {
    histories: Arc<Padded>,
    batches: Arc<[Vec<usize>]>,
    threads: usize,
}

struct Padded {
    length: usize,
    actions: Vec<i64>,
    action_types: Vec<i32>,
}

impl Ceiling {
    fn of(day: &TrainingDay, resources: &Resources) -> Result<Self> {
        let options = BatchOptions::default().layout(Layout::Dedup).batch_size(BATCH_ROWS);
        let mut places = std::collections::BTreeMap::new();
        let mut histories = Padded { length: 0, actions: Vec::new(), action_types: Vec::new() };
        let mut batches = Vec::new();
        for batch in day.epoch(0)?.batches(&options)?.take(BATCHES_MAX) {
            let batch: RowBatch = batch?;
            let length = batch.histories.shape().max_history;
            let (ItemCells::Int64(actions), TypeCells::Int32(types)) =
                (&batch.histories.actions, &batch.histories.action_types)
            else {
                return Err(Error::internal("the columns have not their default types"));
            };
            histories.length = length;
            let mut rows = Vec::new();
            for (customer, history) in batch.customer_ids.iter().zip(&batch.inverse) {
                let next = places.len();
                let place = *places.entry(*customer).or_insert(next);
                if place == next {
                    let cells = usize::try_from(*history).unwrap_or(0) * length;
                    histories.actions.extend(actions.iter().skip(cells).take(length));
                    histories.action_types.extend(types.iter().skip(cells).take(length));
                }
                rows.push(place);
            }
            batches.push(rows);
        }
        Ok(Ceiling { histories: Arc::new(histories), batches: batches.into(), threads: resources.threads() })
    }

    /// Copies the histories of all batches into columns of their own, batch after batch.
    fn copy(&self) -> Result<()> {
        let used: Arc<Mutex<Vec<Copied>>> = Arc::default();
        let work = || {
            let (histories, batches) = (Arc::clone(&self.histories), Arc::clone(&self.batches));
            let used = Arc::clone(&used);
            move |number: usize| {
                let rows = batches.get(number).map_or(&[][..], Vec::as_slice);
                let length = histories.length;
                let (mut actions, mut action_types) = locked(&used).pop().unwrap_or_default();
                actions.clear();
                action_types.clear();
                actions.reserve_exact(rows.len() * length);
                action_types.reserve_exact(rows.len() * length);
                for row in rows {
                    let cells = row * length..(row + 1) * length;
                    actions.extend_from_slice(histories.actions.get(cells.clone()).unwrap_or_default());
                    action_types.extend_from_slice(histories.action_types.get(cells).unwrap_or_default());
                }
                Ok((actions, action_types))
            }
        };
        let workers = (0..self.threads).map(|_| work()).collect();
        let mut numbers = 0..self.batches.len();
        let mut copied = ReadAhead::start(Default::default(), workers, 2, move || Ok(numbers.next()))?;
        copied.try_for_each(|batch| batch.map(|batch| locked(&used).push(black_box(batch))))
    }
}

/// The columns of a copied batch, which the next ones use again.
type Copied = (Vec<i64>, Vec<i32>);

fn locked(used: &Mutex<Vec<Copied>>) -> MutexGuard<'_, Vec<Copied>> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}
