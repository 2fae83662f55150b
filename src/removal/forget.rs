//! Removes customers from a store and puts them on the block list.

use std::path::PathBuf;

use serde::Serialize;

use super::partitions::holding;
use super::receipt::{ForgottenCustomers, Lines};
use super::remove::{Goes, Removal, finish_purge};
use super::removed::Removed;
use super::scrub::{ScrubbedPartition, Scrubber};
use crate::error::{Error, Kind, Result};
use crate::format::{Forgotten, Key, Secret};
use crate::message::message;
use crate::model::{CustomerId, Day};
use crate::output::{check_output, partitions};
use crate::progress::Progress;
use crate::resources::{Resources, Scratch};
use crate::sort::Sorter;
use crate::storage::keep_apart;
use crate::store::{BlockList, Folder, Store, new_secret};
use crate::text::{Shown, count};

/// The result of forgetting: a receipt that does not name the customers.
#[derive(Serialize)]
pub struct ForgetReceipt {
    /// Whether this was a dry run: then the counts are of what would be removed.
    pub dry_run: bool,
    /// The customers, in the order of their ids.
    pub customers: ForgottenCustomers,
    /// Number of customers.
    #[serde(skip)]
    pub count: u64,
    /// Customers among them who had actions in the store.
    #[serde(skip)]
    pub known: u64,
    /// Actions removed.
    #[serde(skip)]
    pub actions: u64,
    /// Customers on the block list afterwards.
    pub block_list: usize,
    /// Customers in the store before and after.
    pub customers_before: u64,
    /// See `customers_before`.
    pub customers_after: u64,
    /// Bytes of the table files before and after; all of them were rewritten.
    pub bytes_before: u64,
    /// See `bytes_before`.
    pub bytes_after: u64,
    /// Partitions below the given output folders that were rewritten without the rows of forgotten customers.
    pub scrubbed: Vec<ScrubbedPartition>,
    /// Partitions below the given output folders that still have rows of these customers.
    pub partitions: Vec<String>,
}

/// What to do with the partitions that have rows of the customers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RowsOfThem {
    /// List them.
    List,
    /// Rewrite them. A partition that cannot be rewritten is noted with the reason, and listed.
    Scrub,
}

/// Removes customers from the store and from its files, and puts them on the block list, so that no ingest restores
/// them.
///
/// Complete on return; after an interruption, the next command that writes completes it, or forgetting them again.
/// Forgetting an unknown customer, or the same customer twice, is no error. Fails, with nothing changed, if the block
/// list would become longer than [`crate::resources::Resources::customers_max`]. Partitions below `outs` with rows of
/// the customers are listed or rewritten. Memory: 8 bytes for each of `customers`, the memory for sorting, the block
/// list, and that of a removal; for rewriting, two row groups.
pub fn forget(
    folder: &Folder,
    customers: Vec<CustomerId>,
    outs: &[PathBuf],
    rows: RowsOfThem,
    progress: &dyn Progress,
) -> Result<ForgetReceipt> {
    forget_under(None, folder, customers, outs, rows, progress)
}

/// Does the same; the block list of a store that has none yet is made under this secret, which several stores may have
/// in common.
pub(crate) fn forget_under(
    secret: Option<Secret>,
    folder: &Folder,
    mut customers: Vec<CustomerId>,
    outs: &[PathBuf],
    rows: RowsOfThem,
    progress: &dyn Progress,
) -> Result<ForgetReceipt> {
    customers.sort_unstable();
    customers.dedup();
    // A mistyped folder fails before anything changes. Leftovers of killed runs beside a partition may have rows of the
    // customers too.
    for out in outs.iter().filter(|_| rows == RowsOfThem::Scrub) {
        keep_apart(("the output", out), &[("the store", folder.path())])?;
        check_output(&folder.resources().place(out)?)?;
    }
    let resources = folder.resources();
    for folder in outs.iter().map(|out| partitions(&resources.place(out)?)).collect::<Result<Vec<_>>>()?.concat() {
        if rows == RowsOfThem::Scrub {
            folder.tidy_up()?;
        }
    }
    let store = Store::open_writer(folder)?;
    let (customers_before, bytes_before) = (store.totals()?.customers, store.disk_bytes()?);
    let scratch = Scratch::new(folder.scratch());
    let sorter = Sorter::new(resources.sort_bytes(), scratch, resources);
    let lines = remove(&store, secret, &customers, Lines::new(sorter), progress)?;
    let (known, actions) = (lines.known, lines.actions);
    let receipt = || -> Result<ForgetReceipt> {
        let lines = lines.finish()?;
        let store = finish_purge(store, progress)?;
        let list = store.block_list()?;
        check_gone(&store, &list, &customers)?;
        let mut receipt = ForgetReceipt {
            dry_run: false,
            customers: lines,
            count: customers.len() as u64,
            known,
            actions,
            block_list: list.len(),
            customers_before,
            customers_after: store.totals()?.customers,
            bytes_before,
            bytes_after: store.disk_bytes()?,
            scrubbed: Vec::new(),
            partitions: Vec::new(),
        };
        look_through(&store, &customers, outs, rows, &mut receipt, progress)?;
        Ok(receipt)
    };
    receipt().map_err(committed)
}

/// Returns an error that happened after the commit, extended to say that the removal is committed.
pub fn committed(error: Error) -> Error {
    Error::new(
        error.kind(),
        message!["the customers are forgotten, but without a receipt, which forgetting them again prints: ", {
            error.what().clone()
        },],
        error.remedy().clone(),
    )
    .caused_by(error)
}

/// Fails if the store still has data of the customers.
fn check_gone(store: &Store, list: &BlockList, customers: &[CustomerId]) -> Result<()> {
    let mut cursor = store.cursor();
    for customer in customers {
        let left = cursor.tail(*customer, Day::FIRST, None)?;
        if !left.deltas.is_empty() || !left.keyframes.is_empty() || !list.holds(*customer) {
            return Err(Error::corrupt("the store still holds a customer that it has forgotten"));
        }
    }
    Ok(())
}

/// Lists or rewrites the partitions that have rows of the customers.
fn look_through(
    store: &Store,
    customers: &[CustomerId],
    outs: &[PathBuf],
    rows: RowsOfThem,
    receipt: &mut ForgetReceipt,
    progress: &dyn Progress,
) -> Result<()> {
    let scrubber = Scrubber::new(store)?;
    for folder in outs
        .iter()
        .map(|out| holding(out, customers, store.folder().resources(), progress))
        .collect::<Result<Vec<_>>>()?
        .concat()
    {
        let path = folder.path().plain();
        match rows {
            RowsOfThem::List => receipt.partitions.push(path),
            RowsOfThem::Scrub => match scrubber.scrub(folder, progress) {
                Ok(scrubbed) => receipt.scrubbed.push(scrubbed),
                // A failing disk is not the partition's fault.
                Err(error) if matches!(error.kind(), Kind::Io | Kind::Cancelled) => return Err(error),
                Err(error) => {
                    progress.note(&message!["{path} still has rows of forgotten customers: ", { error.message() }]);
                    receipt.partitions.push(path);
                }
            },
        }
    }
    Ok(())
}

/// Returns what forgetting customers would do: what the store holds of them, and in `partitions` those below `outs`
/// that have rows of them. Changes nothing, and takes no lock. Memory: 8 bytes for each of `customers`, the memory for
/// sorting, and the history of one customer.
pub fn would_forget(
    folder: &Folder,
    mut customers: Vec<CustomerId>,
    outs: &[PathBuf],
    progress: &dyn Progress,
) -> Result<ForgetReceipt> {
    customers.sort_unstable();
    customers.dedup();
    let store = Store::open_reader(folder)?;
    let (list, mut cursor) = (store.block_list()?, store.cursor());
    let new = customers.iter().filter(|customer| !list.holds(**customer)).count();
    let resources = folder.resources();
    refuse_too_many(list.len(), new, resources)?;
    let mut lines = Lines::new(Sorter::new(resources.sort_bytes(), resources.scratch(), resources));
    for customer in &customers {
        resources.check()?;
        let tail = cursor.tail(*customer, Day::FIRST, None)?;
        let held = Removed {
            deltas: tail.deltas.len() as u64,
            keyframes: tail.keyframes.len() as u64,
            actions: tail.actions(),
        };
        lines.push(list.token(*customer), list.holds(*customer), held)?;
    }
    let holding = outs.iter().map(|out| holding(out, &customers, resources, progress)).collect::<Result<Vec<_>>>()?;
    let (customers_before, bytes) = (store.totals()?.customers, store.disk_bytes()?);
    let (known, actions) = (lines.known, lines.actions);
    let left = customers_before.checked_sub(known);
    Ok(ForgetReceipt {
        dry_run: true,
        customers: lines.finish_dry_run()?,
        count: customers.len() as u64,
        known,
        actions,
        block_list: list.len() + new,
        customers_before,
        customers_after: left.ok_or_else(|| Error::corrupt("the store counts fewer customers than it loses"))?,
        bytes_before: bytes,
        bytes_after: bytes,
        scrubbed: Vec::new(),
        partitions: holding.concat().iter().map(|folder| folder.path().plain()).collect(),
    })
}

/// Commits the removal; records for each customer whether it was forgotten before, and what was removed.
fn remove(
    store: &Store,
    secret: Option<Secret>,
    customers: &[CustomerId],
    mut lines: Lines,
    progress: &dyn Progress,
) -> Result<Lines> {
    let list = match store.block_list()? {
        list if list.record().is_some() => list,
        _ => BlockList::under(secret.map_or_else(new_secret, Ok)?),
    };
    let more = customers.iter().filter(|customer| !list.holds(**customer)).count();
    refuse_too_many(list.len(), more, store.folder().resources())?;
    let goes = Goes::Customers(customers);
    let mut left = customers;
    let mut line =
        |customer: CustomerId, removed: Removed| lines.push(list.token(customer), list.holds(customer), removed);
    let mut removal = Removal::new(store)?;
    removal.history(goes, progress, |customer, removed| {
        // The customers before this one have nothing in the store.
        while let Some((next, after)) = left.split_first().filter(|(next, _)| **next <= customer) {
            left = after;
            line(*next, if *next == customer { removed } else { Removed::default() })?;
        }
        Ok(())
    })?;
    left.iter().try_for_each(|customer| line(*customer, Removed::default()))?;
    if lines.already_forgotten == lines.customers && lines.known == 0 {
        return Ok(lines);
    }
    removal.batches(goes, progress)?;
    if let Some(record) = list.record() {
        removal.set(Key::BlockList, &record)?;
    }
    let new = customers.iter().filter(|customer| !list.holds(**customer));
    let mut tokens: Vec<_> = new.filter_map(|customer| list.token(*customer)).collect();
    drop(list);
    tokens.sort_unstable();
    for token in tokens {
        removal.set(Key::Forgotten(token), &Forgotten)?;
    }
    removal.commit()?;
    Ok(lines)
}

/// Fails if the block list would become too long: every ingest and production holds all of it in memory.
fn refuse_too_many(forgotten: usize, more: usize, resources: &Resources) -> Result<()> {
    let most = resources.customers_max();
    if forgotten.saturating_add(more) <= most {
        return Ok(());
    }
    Err(Error::refused(
        message![
            (
                "{} customers to forget beside {} forgotten ones are more than the {} that this ",
                count(more as u64),
                count(forgotten as u64),
                count(most as u64)
            ),
            MemoryLimit,
            " allows"
        ],
        message!["give a larger ", MemoryLimit, ", here and in each later command; nobody has been forgotten"],
    ))
}
