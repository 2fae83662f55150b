//! `[ids]`: how the ids of the input become numbers.

use super::section::Section;
use crate::error::Result;
use crate::model::{IdForm, Ids};

const KEYS: [&str; 3] = ["customer", "item", "item_offset"];

/// Returns the description in `[ids]`. Fails on anything it does not understand, naming file and line.
pub(super) fn read_ids(section: &Section<'_>) -> Result<Ids> {
    section.only(&KEYS)?;
    let document = section.document;
    let (customer, item) = (read_form(section, "customer")?, read_form(section, "item")?);
    let Some(value) = section.get("item_offset") else { return Ok(Ids { customer, item, item_offset: 0 }) };
    let item_offset = document.whole_number_of("item_offset in [ids]", value)?;
    if item == IdForm::Text {
        let what = "item_offset in [ids] is given for items that are text";
        return Err(document.error(&value.span(), what, "leave it out: a number is added to integers only"));
    }
    Ok(Ids { customer, item, item_offset })
}

fn read_form(section: &Section<'_>, key: &str) -> Result<IdForm> {
    let Some((text, span)) = section.text(key)? else { return Ok(IdForm::default()) };
    let form = IdForm::ALL.into_iter().find(|form| form.name() == text);
    form.ok_or_else(|| {
        let what = format!("{key} in [ids] is {text:?}, which ids cannot be");
        section.document.unknown(&span, &what, text, "ids are", &IdForm::ALL.map(IdForm::name))
    })
}
