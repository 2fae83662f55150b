//! `lookback forget`.

use super::args::Forget;
use super::console::Console;
use super::customer_ids::CustomerIds;
use super::text::{count, counted};
use crate::error::{Error, Result};
use crate::model::CustomerId;
use crate::removal::{RowsOfThem, forget};
use crate::store::Folder;

pub(super) fn run(typed: &Forget, console: &Console) -> Result<()> {
    let mut customers: Vec<CustomerId> = typed.customer.iter().copied().map(CustomerId).collect();
    if let Some(path) = &typed.customers {
        for customer in CustomerIds::open(path, "give one integer a line; nobody has been forgotten yet")? {
            customers.push(customer?);
        }
    }
    let rows = if typed.scrub { RowsOfThem::Scrub } else { RowsOfThem::List };
    let receipt = forget(&Folder::new(&typed.store), customers, &typed.out, rows, console.progress())?;
    let known = receipt.customers.iter().filter(|customer| customer.portions_before > 0).count() as u64;
    let left = receipt.partitions.join(", ");
    let partitions = match (typed.out.is_empty(), receipt.scrubbed.len() as u64, receipt.partitions.is_empty()) {
        (true, ..) => "partitions produced before may still have rows of them: look with --out".to_owned(),
        (_, 0, true) => "no partition has rows of them".to_owned(),
        (_, 0, false) if !typed.scrub => {
            format!("these partitions still have rows of them, rewrite them with --scrub: {left}")
        }
        (_, scrubbed, true) => format!("rewrote {} without them", counted(scrubbed, "partition")),
        (_, scrubbed, false) => {
            format!("rewrote {} without them, and could not rewrite {left}", counted(scrubbed, "partition"))
        }
    };
    let sentence = format!(
        "forgot {}, {} of them with actions in the store ({} removed); {} on the block list; {partitions}",
        counted(receipt.customers.len() as u64, "customer"),
        count(known),
        counted(receipt.customers.iter().map(|customer| customer.actions_before).sum(), "action"),
        counted(receipt.block_list as u64, "customer"),
    );
    console.done(&receipt, &sentence)?;
    if typed.scrub && !receipt.partitions.is_empty() {
        return Err(Error::refused(
            format!("these partitions still have rows of forgotten customers: {left}"),
            "produce them again with `lookback produce`, or remove them",
        ));
    }
    Ok(())
}
