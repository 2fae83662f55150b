//! Writes the histories of many customers, with the times of their actions.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use serde::Serialize;

use super::asked::AskedCustomer;
use super::question::Question;
use crate::error::{Error, Result};
use crate::model::{Action, CustomerId, Day, IdForm};
use crate::output::{HistoryFormat, HistoryTarget, HistoryWriter};
use crate::progress::Progress;
use crate::resources::Resources;
use crate::sort::Sorter;
use crate::storage::keep_apart;
use crate::store::{AsOf, BlockList, Cursor, Store};

/// Maximum actions that a thread reads at a time, unless one history has more: 6 MB with their times.
const TURN_ACTIONS: usize = 1 << 18;

/// The maximum number of customers whose histories a thread reads at a time.
const TURN_CUSTOMERS: usize = 1_024;

/// The result of a get.
#[derive(Clone, Debug, Serialize)]
pub struct GetSummary {
    /// The day.
    pub dt: Day,
    /// Every action is earlier than this instant.
    pub cut_off: String,
    /// The maximum number of actions of a history.
    pub max_history: usize,
    /// How many days back actions may lie, if limited.
    pub lookback_days: Option<u32>,
    /// The newest batch used.
    pub newest_batch: Option<Day>,
    /// Customers, one line each.
    pub customers: u64,
    /// Customers among them without any history.
    pub without_history: u64,
    /// Customers left out since they have been forgotten.
    pub forgotten: u64,
    /// Repeated ids in the input.
    pub repeated: u64,
    /// Actions in all histories.
    pub actions: u64,
    /// Whether all of the output was read; `false` if the reader closed it early.
    pub complete: bool,
}

/// Writes the histories of these customers, given in any order and possibly repeated, to `target`: one line each,
/// customers ascending. Writing starts after all ids have been read. Where the store's customers are text, a column
/// `customer_text` has the texts that they were given as.
///
/// Memory: that for sorting, that of the open store, for each thread 262,144 actions (or one history, if larger), and
/// that of the writer.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// # use lookback::{ingest::{IngestOptions, Ingester}, model::Day, progress::Silent, store::{Folder, Settings, Store}};
/// # let store_folder = Folder::new(&at("store"));
/// # Store::create(&store_folder, Settings::default())?;
/// # let batch = IngestOptions::new(at("input"), "2026-01-01".parse::<Day>()?);
/// # Ingester::open(&store_folder, &Silent)?.ingest(&batch, &Silent)?;
/// # let store = Store::open_reader(&store_folder)?;
/// use lookback::histories::{Question, get};
/// use lookback::model::CustomerId;
/// use lookback::output::{HistoryFormat, HistoryTarget};
///
/// let question = Question::new("2026-01-02".parse::<Day>()?);
/// let target = (HistoryTarget::File(at("histories.parquet")), HistoryFormat::Parquet);
/// let summary = get(&store, &question, [7, 8].map(|id| Ok(CustomerId(id))).into_iter(), target, &Silent)?;
/// assert_eq!((summary.actions, summary.without_history), (2, 1));
/// # Ok(())
/// # }
/// ```
pub fn get(
    store: &Store,
    question: &Question,
    customers: impl Iterator<Item = Result<impl Into<AskedCustomer>>>,
    (target, format): (HistoryTarget, HistoryFormat),
    progress: &dyn Progress,
) -> Result<GetSummary> {
    if let HistoryTarget::File(path) = &target {
        keep_apart(("the file", path), &[("the store", store.folder().path())])?;
    }
    let Question { dt, lookback_days, known_as_of, allow_gaps, allow_pruned, .. } = *question;
    let batches = store.batches()?;
    store.refuse_incomplete(&batches, dt, (lookback_days, known_as_of), (allow_gaps, allow_pruned), progress)?;
    let wanted = question.as_of(store, &batches)?;
    let zone = &store.settings().zone;
    let mut summary = GetSummary {
        dt,
        cut_off: zone.display(zone.start_of(dt)),
        max_history: wanted.max_history,
        lookback_days,
        newest_batch: batches.newest(known_as_of),
        customers: 0,
        without_history: 0,
        forgotten: 0,
        repeated: 0,
        actions: 0,
        complete: true,
    };
    let resources = store.folder().resources();
    let mut sorter = Sorter::new(resources.sort_bytes(), resources.scratch(), resources);
    for customer in customers {
        resources.check()?;
        sorter.push(customer?.into())?;
    }
    let mut ids = Ids { sorted: sorter.finish()?, last: None, block_list: store.block_list()? };
    let has_texts = store.settings().ids.customer == IdForm::Text;
    let mut writer = HistoryWriter::new(target, format, has_texts, said(&summary, zone.name()))?;
    let mut reader = Reader::new(store, wanted);
    progress.begin("reading", "customers", None);
    while summary.complete {
        resources.check()?;
        let turn = reader.turn(&mut ids, &mut summary)?;
        if turn.is_empty() {
            break;
        }
        for (customer, actions) in reader.read(turn)?.into_iter().flatten() {
            summary.customers += 1;
            summary.without_history += u64::from(actions.is_empty());
            summary.actions += actions.len() as u64;
            progress.advance(1);
            let AskedCustomer { customer, text } = customer;
            if !writer.push(customer, text.as_deref(), &actions)? {
                summary.complete = false;
                return Ok(summary);
            }
        }
    }
    summary.complete = writer.finish()?;
    Ok(summary)
}

/// Returns the output's metadata, under the names that a part file of rows uses.
fn said(summary: &GetSummary, time_zone: &str) -> Vec<(String, String)> {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("dt", summary.dt.to_string()),
        ("cut_off", summary.cut_off.clone()),
        ("time_zone", time_zone.to_owned()),
        ("max_history", summary.max_history.to_string()),
        ("lookback_days", or_none(summary.lookback_days.map(|days| days.to_string()))),
        ("newest_batch", or_none(summary.newest_batch.map(|day| day.to_string()))),
    ]
    .map(|(name, value)| (format!("lookback.{name}"), value))
    .into()
}

/// Customers ascending, without duplicates and without forgotten customers.
struct Ids<I> {
    sorted: I,
    last: Option<CustomerId>,
    block_list: BlockList,
}

impl<I: Iterator<Item = Result<AskedCustomer>>> Ids<I> {
    fn next(&mut self, summary: &mut GetSummary) -> Result<Option<AskedCustomer>> {
        while let Some(asked) = self.sorted.next().transpose()? {
            let customer = asked.customer;
            if self.last == Some(customer) {
                summary.repeated += 1;
                continue;
            }
            self.last = Some(customer);
            if !self.block_list.holds(customer) {
                return Ok(Some(asked));
            }
            summary.forgotten += 1;
        }
        Ok(None)
    }
}

/// Customers whose histories one thread reads.
type Chunk = Vec<AskedCustomer>;

/// Each customer of a chunk with the history, newest first.
type ShareRead = Vec<(AskedCustomer, Vec<Action>)>;

/// Reads histories on all cores. One cursor per thread.
struct Reader<'store> {
    resources: &'store Resources,
    cursors: Vec<Cursor<'store>>,
    wanted: AsOf,
    share_customers: usize,
    cut_off_us: i64,
}

impl<'store> Reader<'store> {
    fn new(store: &'store Store, wanted: AsOf) -> Self {
        let resources = store.folder().resources();
        let cursors = (0..resources.threads()).map(|_| store.cursor_over_many()).collect();
        let share_customers = (TURN_ACTIONS / wanted.max_history.max(1)).clamp(1, TURN_CUSTOMERS);
        let cut_off_us = store.settings().zone.start_of(wanted.before);
        Reader { resources, cursors, wanted, share_customers, cut_off_us }
    }

    /// Returns the next customers, a chunk for each thread; nothing at the end.
    fn turn<I>(&self, ids: &mut Ids<I>, summary: &mut GetSummary) -> Result<Vec<Chunk>>
    where
        I: Iterator<Item = Result<AskedCustomer>>,
    {
        let mut chunks: Vec<Chunk> = Vec::new();
        while chunks.len() < self.cursors.len() {
            let mut chunk = Chunk::new();
            while chunk.len() < self.share_customers
                && let Some(customer) = ids.next(summary)?
            {
                chunk.push(customer);
            }
            if chunk.is_empty() {
                break;
            }
            chunks.push(chunk);
        }
        Ok(chunks)
    }

    /// Returns the histories of at most as many chunks as there are threads, in the same order.
    fn read(&mut self, chunks: Vec<Chunk>) -> Result<Vec<ShareRead>> {
        let (wanted, cut_off_us) = (self.wanted, self.cut_off_us);
        let read = |(cursor, chunk): (&mut Cursor<'_>, Chunk)| -> Result<ShareRead> {
            let histories = chunk.into_iter().map(|asked| {
                let customer = asked.customer;
                let actions = cursor.actions_as_of(customer, wanted)?;
                // The day in a delta's key and the times in its value must agree.
                if actions.first().is_some_and(|newest| newest.time_us >= cut_off_us) {
                    let customer = customer.0;
                    return Err(Error::corrupt(format!(
                        "the store has returned an action of customer {customer} that is not before {}",
                        wanted.before
                    )));
                }
                Ok((asked, actions))
            });
            histories.collect()
        };
        let cursors = &mut self.cursors;
        self.resources.install(|| cursors.par_iter_mut().zip(chunks.into_par_iter()).map(read).collect())?
    }
}
