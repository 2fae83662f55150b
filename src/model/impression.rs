//! An impression: the items shown to a customer.

use super::CustomerId;

/// One item of an impression's list.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Element {
    /// The item that was shown; never 0.
    pub item_id: i64,
    /// 1 if the item was ordered, else 0.
    pub label: i32,
}

/// One impression row: a list of items shown to one customer.
///
/// The derived order is that of the output: customer, then ranking id (null first, then by bytes), then the list
/// element by element. It is total, so the output does not depend on the order of the input. Source: SPEC, "Output".
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Impression {
    /// The customer who saw it.
    pub customer: CustomerId,
    /// The caller's name for the impression; may be missing.
    pub ranking_id: Option<String>,
    /// The items in the order shown; never empty.
    pub elements: Vec<Element>,
}
