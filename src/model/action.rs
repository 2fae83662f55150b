//! One event of a customer.

use super::Day;

/// Who acted or was shown something. Any int64 is valid.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CustomerId(pub i64);

/// The item id that means "no action here" in a padded row; no action and no impression element may carry it.
pub const PADDING_ITEM_ID: i64 = 0;

/// The type of an action, by its number, 1 to 255, as in the output column `action_types`, where 0 is the padding. The
/// names are in a store's [`super::TypeTable`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ActionType(u8);

impl ActionType {
    /// A click (1), unless the store names its types otherwise.
    pub const CLICK: ActionType = ActionType(1);
    /// An item put into the cart (2), with the same exception.
    pub const ADD_TO_CART: ActionType = ActionType(2);
    /// An item ordered (3), with the same exception.
    pub const ORDER: ActionType = ActionType(3);

    /// Returns the type with this number; `None` for 0, which is the padding.
    pub fn from_number(number: u8) -> Option<Self> {
        (number > 0).then_some(ActionType(number))
    }

    /// Returns the number of the type, 1 to 255.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// One event of a customer: time, item, and type. The customer is stored beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Action {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub time_us: i64,
    /// Never [`PADDING_ITEM_ID`].
    pub item_id: i64,
    /// What the customer did.
    pub action_type: ActionType,
}

/// An action as a keyframe keeps it: with its day instead of its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PastAction {
    /// The day of the action.
    pub day: Day,
    /// Never [`PADDING_ITEM_ID`].
    pub item_id: i64,
    /// The number of the [`ActionType`].
    pub action_type: u8,
}
