//! Ids as they are typed.

use lookback::error::{Error, Result};
use lookback::model::{CustomerId, IdForm, Ids};

/// Returns the customer whose id was typed. Fails on what is no id.
pub(super) fn customer(typed: &str, ids: Ids) -> Result<CustomerId> {
    id(typed, ids.customer, "customer").map(CustomerId)
}

/// Returns the item whose id was typed: the id in the store, with its offset. Fails as for customers.
pub(super) fn item(typed: &str, ids: Ids) -> Result<i64> {
    id(typed, ids.item, "item")
}

/// Returns the text that an id was typed as; `None` if ids are integers.
pub(super) fn text_of(typed: &str, form: IdForm) -> Option<String> {
    (form == IdForm::Text).then(|| typed.to_owned())
}

fn id(typed: &str, form: IdForm, noun: &str) -> Result<i64> {
    form.id_of(typed).ok_or_else(|| match form {
        IdForm::Integer => Error::usage(
            format!("--{noun} {typed:?} is no id of this store, whose {noun}s are integers"),
            "an id is an integer below 2^63, such as 21193184998 or -7",
        ),
        IdForm::Text => Error::usage(format!("--{noun} is an empty text"), format!("give the text of the {noun}'s id")),
    })
}
