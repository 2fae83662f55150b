//! Forgetting customers.

use std::path::PathBuf;

use serde::Serialize;

use super::partitions::holding;
use super::remove::{Goes, Removal, Removed, finish_purge};
use super::scrub::{ScrubbedPartition, Scrubber};
use crate::apart::keep_apart;
use crate::error::{Error, Kind, Result};
use crate::files::{check_output, partitions};
use crate::format::{Forgotten, Key};
use crate::model::{CustomerId, Day};
use crate::progress::Progress;
use crate::store::{BlockList, Folder, Store};
use crate::text::Shown;

/// What forgetting did: a receipt that does not name the customers.
#[derive(Clone, Debug, Serialize)]
pub struct ForgetReceipt {
    /// The customers, in the order of their ids.
    pub customers: Vec<ForgottenCustomer>,
    /// Customers on the block list afterwards.
    pub block_list: usize,
    /// Customers in the store before and after.
    pub customers_before: u64,
    /// See `customers_before`.
    pub customers_after: u64,
    /// Bytes of the table files before and after; all of them were written anew.
    pub bytes_before: u64,
    /// See `bytes_before`.
    pub bytes_after: u64,
    /// Partitions below the output folders named that were rewritten without rows of forgotten customers.
    pub scrubbed: Vec<ScrubbedPartition>,
    /// Partitions below the output folders named that have rows of these customers still.
    pub partitions: Vec<String>,
}

/// What becomes of the partitions that have rows of the customers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RowsOfThem {
    /// They are listed.
    List,
    /// They are rewritten. One that cannot be is noted with the reason, and listed.
    Scrub,
}

/// One customer's line in a receipt.
#[derive(Clone, Debug, Serialize)]
pub struct ForgottenCustomer {
    /// What stands for the customer in the block list, in hexadecimal.
    pub token: String,
    /// Whether the customer had been forgotten before.
    pub already_forgotten: bool,
    /// Keys of the customer in the store before: portions, and the actions in them.
    pub portions_before: u64,
    /// See `portions_before`.
    pub actions_before: u64,
    /// Keyframes before.
    pub keyframes_before: u64,
    /// Keys of the customer afterwards, looked for in the store as it was opened anew: 0.
    pub keys_after: usize,
}

/// Removes customers from the store and from its files, and puts them on the block list, so that no ingest brings them back.
///
/// Done when it returns; where it is interrupted, done by the next command that writes, or by forgetting them again. Forgetting a customer whom
/// the store does not know, or twice, is no error. Below `outs`, partitions that have rows of them are looked for, and listed or
/// rewritten. Memory: some 100 bytes for each of `customers`, and that of a removal; rewriting, two row groups.
pub fn forget(
    folder: &Folder,
    mut customers: Vec<CustomerId>,
    outs: &[PathBuf],
    rows: RowsOfThem,
    progress: &dyn Progress,
) -> Result<ForgetReceipt> {
    customers.sort_unstable();
    customers.dedup();
    // A mistyped folder is noticed before anything is done. What killed runs left beside a partition may have rows of them too.
    for out in outs.iter().filter(|_| rows == RowsOfThem::Scrub) {
        keep_apart(("the output", out), &[("the store", folder.path())])?;
        check_output(out)?;
    }
    for folder in outs.iter().map(|out| partitions(out)).collect::<Result<Vec<_>>>()?.concat() {
        if rows == RowsOfThem::Scrub {
            folder.tidy_up()?;
        }
    }
    let store = Store::open_writer(folder)?;
    let list = match store.block_list()? {
        list if list.record().is_some() => list,
        _ => BlockList::new()?,
    };
    let (customers_before, bytes_before) = (store.totals()?.customers, store.disk_bytes()?);
    let counts = remove(&store, &list, &customers, progress)?;
    let store = finish_purge(store, progress)?;

    let list = store.block_list()?;
    let mut cursor = store.cursor();
    let mut receipt = ForgetReceipt {
        customers: Vec::with_capacity(customers.len()),
        block_list: list.len(),
        customers_before,
        customers_after: store.totals()?.customers,
        bytes_before,
        bytes_after: store.disk_bytes()?,
        scrubbed: Vec::new(),
        partitions: Vec::new(),
    };
    let scrubber = Scrubber::new(&store)?;
    for folder in outs.iter().map(|out| holding(out, &customers, progress)).collect::<Result<Vec<_>>>()?.concat() {
        let path = folder.path().plain();
        match rows {
            RowsOfThem::List => receipt.partitions.push(path),
            RowsOfThem::Scrub => match scrubber.scrub(folder, progress) {
                Ok(scrubbed) => receipt.scrubbed.push(scrubbed),
                // A disk that fails is no fault of the partition.
                Err(error) if error.kind() == Kind::Io => return Err(error),
                Err(error) => {
                    progress.note(&format!("{path} still has rows of them: {error}"));
                    receipt.partitions.push(path);
                }
            },
        }
    }
    for (customer, (already_forgotten, removed)) in customers.into_iter().zip(counts) {
        let left = cursor.tail(customer, Day::FIRST, None)?;
        let keys_after = left.portions.len() + left.keyframes.len();
        if keys_after > 0 || !list.holds(customer) {
            return Err(Error::corrupt("the store still holds a customer whom it has forgotten"));
        }
        receipt.customers.push(ForgottenCustomer {
            token: hex(&list.token(customer).unwrap_or_default()),
            already_forgotten,
            portions_before: removed.portions,
            actions_before: removed.actions,
            keyframes_before: removed.keyframes,
            keys_after,
        });
    }
    Ok(receipt)
}

/// Commits the removal; gives of each customer whether it was forgotten before, and what went.
fn remove(
    store: &Store,
    list: &BlockList,
    customers: &[CustomerId],
    progress: &dyn Progress,
) -> Result<Vec<(bool, Removed)>> {
    let mut counts: Vec<_> = customers.iter().map(|customer| (list.holds(*customer), Removed::default())).collect();
    let goes = Goes::Customers(customers);
    let mut removal = Removal::new(store)?;
    removal.history(goes, progress, |customer, removed| {
        let place = customers.binary_search(&customer).ok().and_then(|place| counts.get_mut(place));
        place.into_iter().for_each(|count| count.1 = removed);
    })?;
    if counts.iter().all(|(already, removed)| *already && removed.portions == 0) {
        return Ok(counts);
    }
    removal.batches(goes, progress)?;
    if let Some(record) = list.record() {
        removal.set(Key::BlockList, &record)?;
    }
    let new = customers.iter().filter(|customer| !list.holds(**customer));
    let mut tokens: Vec<_> = new.filter_map(|customer| list.token(*customer)).collect();
    tokens.sort_unstable();
    for token in tokens {
        removal.set(Key::Forgotten(token), &Forgotten)?;
    }
    removal.commit()?;
    Ok(counts)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
