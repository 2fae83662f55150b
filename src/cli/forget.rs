//! `lookback forget`.

use super::args::Forget;
use super::console::Console;
use super::customer_ids::CustomerIds;
use super::text::{count, counted};
use crate::error::Result;
use crate::model::CustomerId;
use crate::removal::forget;
use crate::store::Folder;

pub(super) fn run(typed: &Forget, console: &Console) -> Result<()> {
    let mut customers: Vec<CustomerId> = typed.customer.iter().copied().map(CustomerId).collect();
    if let Some(path) = &typed.customers {
        for customer in CustomerIds::open(path, "give one integer a line; nobody has been forgotten yet")? {
            customers.push(customer?);
        }
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
