//! `lookback forget`.

use std::path::Path;

use super::args::{Forget, Forgotten};
use super::console::Console;
use super::customer_ids::CustomerIds;
use super::ids::customer;
use super::text::{count, counted};
use lookback::error::{Error, Result};
use lookback::model::{CustomerId, IdForm, Ids};
use lookback::removal::{ForgetReceipt, RowsOfThem, committed, forget, would_forget};
use lookback::store::{Folder, Store};
use lookback::text::Shown as _;

pub(super) fn run(typed: &Forget, console: &Console) -> Result<()> {
    let folder = Folder::with(&typed.store, console.resources());
    let ids = Store::open_reader(&folder)?.settings().ids;
    let customers = customers_of(&typed.whom, ids, console)?;
    let rows = if typed.whom.scrub { RowsOfThem::Scrub } else { RowsOfThem::List };
    if typed.dry_run {
        let receipt = would_forget(&folder, customers, &typed.whom.out, console.progress())?;
        return console.done(&receipt, &plan(&receipt));
    }
    let receipt = forget(&folder, customers, &typed.whom.out, rows, console.progress())?;
    let left = receipt.partitions.join(", ");
    let partitions = match (typed.whom.out.is_empty(), receipt.scrubbed.len() as u64, receipt.partitions.is_empty()) {
        (true, ..) => "partitions produced before may still have their rows: check with --out".to_owned(),
        (_, 0, true) => "no partition has their rows".to_owned(),
        (_, 0, false) if !typed.whom.scrub => {
            format!("these partitions still have their rows (--scrub rewrites them): {left}")
        }
        (_, scrubbed, true) => format!("rewrote {} without their rows", counted(scrubbed, "partition")),
        (_, scrubbed, false) => {
            format!("rewrote {} without their rows, but could not rewrite {left}", counted(scrubbed, "partition"))
        }
    };
    let sentence = format!(
        "forgot {}, {} of them with actions in the store ({} removed); {} on the block list; {partitions}",
        counted(receipt.count, "customer"),
        count(receipt.known),
        counted(receipt.actions, "action"),
        counted(receipt.block_list as u64, "customer"),
    );
    console.done(&receipt, &sentence).map_err(committed)?;
    if typed.whom.scrub && !receipt.partitions.is_empty() {
        return Err(Error::refused(
            format!("these partitions still have rows of forgotten customers: {left}"),
            "produce them again with `lookback produce`, or remove them",
        ));
    }
    Ok(())
}

/// Returns the customers that were typed, and those in a file.
pub(super) fn customers_of(whom: &Forgotten, ids: Ids, console: &Console) -> Result<Vec<CustomerId>> {
    let mut customers = whom.customer.iter().map(|typed| customer(typed, ids)).collect::<Result<Vec<CustomerId>>>()?;
    let Some(path) = &whom.customers else { return Ok(customers) };
    let most = console.resources().customers_max();
    for asked in ids_of(path, ids.customer, console)? {
        if customers.len() == most {
            return Err(Error::refused(
                format!("{} has more ids than this --memory-limit allows ({})", path.shown(), count(most as u64)),
                "give a larger --memory-limit, or forget them in several runs; nobody has been forgotten yet",
            ));
        }
        customers.push(asked?.customer);
    }
    Ok(customers)
}

fn ids_of(path: &Path, form: IdForm, console: &Console) -> Result<CustomerIds> {
    let remedy = match form {
        IdForm::Integer => "give one integer a line; nobody has been forgotten yet",
        IdForm::Text => "give one id a line, of at most 4 kB; nobody has been forgotten yet",
    };
    CustomerIds::open(path, form, remedy, console.resources().cancel())
}

/// Returns the sentence of a dry run.
fn plan(receipt: &ForgetReceipt) -> String {
    let partitions = match receipt.partitions.as_slice() {
        [] => "no partition below --out has their rows".to_owned(),
        some => format!("these partitions have their rows: {}", some.join(", ")),
    };
    format!(
        "would forget {}, {} of them with actions in the store ({} would be removed); {partitions}",
        counted(receipt.count, "customer"),
        count(receipt.known),
        counted(receipt.actions, "action"),
    )
}
