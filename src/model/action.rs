//! One event of a customer.

use super::Day;

/// Who acted or was shown something. Any int64 is valid.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CustomerId(pub i64);

/// The item id that means "no action here" in a padded row; no action and no impression element may carry it.
pub const PADDING_ITEM_ID: i64 = 0;

/// What the customer did. The numbers are those of the output column `action_types`; 0 is the padding.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ActionType(u8);

impl ActionType {
    /// A click (1).
    pub const CLICK: ActionType = ActionType(1);
    /// An item put into the cart (2).
    pub const ADD_TO_CART: ActionType = ActionType(2);
    /// An item ordered (3).
    pub const ORDER: ActionType = ActionType(3);

    /// The type with this number; `None` for 0, which is the padding, and for numbers without a meaning.
    pub fn from_number(number: u8) -> Option<Self> {
        (1..=3).contains(&number).then_some(ActionType(number))
    }

    /// The number of the type, 1 to 3.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The name that `lookback show` prints.
    pub fn name(self) -> &'static str {
        match self.0 {
            1 => "click",
            2 => "add_to_cart",
            _ => "order",
        }
    }
}

/// One event of a customer: when, on what, and of which type. Whose it is stands beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Action {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub time_us: i64,
    /// Never [`PADDING_ITEM_ID`].
    pub item_id: i64,
    /// Click, add to cart or order.
    pub action_type: ActionType,
}

/// An action as a keyframe keeps it: its day in place of its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PastAction {
    /// The day on which it lies.
    pub day: Day,
    /// Never [`PADDING_ITEM_ID`].
    pub item_id: i64,
    /// Number of the [`ActionType`].
    pub action_type: u8,
}
