//! `lookback forget`.

use std::path::Path;

use super::args::Forget;
use super::console::Console;
use super::text::{count, counted};
use crate::error::{Error, Result};
use crate::model::CustomerId;
use crate::removal::forget;
use crate::store::Folder;

pub(super) fn run(typed: &Forget, console: &Console) -> Result<()> {
    let mut customers: Vec<CustomerId> = typed.customer.iter().copied().map(CustomerId).collect();
    if let Some(path) = &typed.customers {
        read_ids(path, &mut customers)?;
    }
    let receipt = forget(&Folder::new(&typed.store), customers, &typed.out, console.progress())?;
    let known = receipt.customers.iter().filter(|customer| customer.portions_before > 0).count() as u64;
    let partitions = match (typed.out.as_slice(), receipt.partitions.as_slice()) {
        ([], _) => "partitions produced before may still have rows of them: look with --out".to_owned(),
        (_, []) => "no partition has rows of them".to_owned(),
        (_, some) => format!("produce these partitions again, which still have rows of them: {}", some.join(", ")),
    };
    let sentence = format!(
        "forgot {}, {} of them with actions in the store ({} removed); {} on the block list; {partitions}",
        counted(receipt.customers.len() as u64, "customer"),
        count(known),
        counted(receipt.customers.iter().map(|customer| customer.actions_before).sum(), "action"),
        counted(receipt.block_list as u64, "customer"),
    );
    console.done(&receipt, &sentence)
}

/// One id on each line; empty lines are passed over.
fn read_ids(path: &Path, customers: &mut Vec<CustomerId>) -> Result<()> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, &error))?;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let id = line.trim().parse().map_err(|_| {
            Error::input(
                format!("line {number} of {} is no customer's id", path.display()),
                "give one integer a line; nobody has been forgotten yet",
            )
        })?;
        customers.push(CustomerId(id));
    }
    Ok(())
}
