//! What was shown to a customer.

use super::CustomerId;

/// One item of an impression's list.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Element {
    /// The item that was shown; never 0.
    pub item_id: i64,
    /// 1 where it was ordered, else 0.
    pub label: i32,
}

/// One impression row: a list of items shown to one customer.
///
/// The derived order is the order of the output: customer, then ranking id (null first, then by bytes), then the list
/// element by element. It is total, so that the order in which rows arrive never shows. Source: SPEC, "Output".
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Impression {
    /// To whom it was shown.
    pub customer: CustomerId,
    /// The caller's name for it; may be missing.
    pub ranking_id: Option<String>,
    /// The items in the order in which they were shown; never empty.
    pub elements: Vec<Element>,
}
