//! One action: who did what to which item, and when.

/// What the customer did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Click,
    AddToCart,
    Order,
}

impl Kind {
    /// The folder of the table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Click => "clicks",
            Self::AddToCart => "add_to_carts",
            Self::Order => "orders",
        }
    }
}

/// One event of a customer. The time is in microseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Action {
    pub customer: i64,
    pub item: i64,
    pub time: i64,
    pub kind: Kind,
}
