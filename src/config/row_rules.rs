//! Reads the keys that say which rows count, and what a row of impressions is.

use super::section::Section;
use crate::error::Result;
use crate::sources::{ImpressionLayout, WithoutCustomer};

/// Reads `without_customer`.
pub(super) fn read_without_customer(section: &Section<'_>) -> Result<WithoutCustomer> {
    let Some((text, span)) = section.text("without_customer")? else { return Ok(WithoutCustomer::default()) };
    let rule = WithoutCustomer::ALL.into_iter().find(|rule| rule.name() == text);
    rule.ok_or_else(|| {
        let what = format!("{text:?} does not say what becomes of rows without a customer");
        let words = WithoutCustomer::ALL.map(WithoutCustomer::name);
        section.document.unknown(&span, &what, text, "the words are", &words)
    })
}

/// Reads the name of a column.
pub(super) fn read_column(section: &Section<'_>, key: &str) -> Result<Option<String>> {
    Ok(section.text(key)?.map(|(name, _)| name.to_owned()))
}

/// Reads the `layout` of impressions.
pub(super) fn read_layout(section: &Section<'_>) -> Result<ImpressionLayout> {
    let Some((text, span)) = section.text("layout")? else { return Ok(ImpressionLayout::default()) };
    let layout = ImpressionLayout::ALL.into_iter().find(|layout| layout.name() == text);
    layout.ok_or_else(|| {
        let what = format!("{text:?} is not a layout of impressions");
        section.document.unknown(
            &span,
            &what,
            text,
            "the layouts are",
            &ImpressionLayout::ALL.map(ImpressionLayout::name),
        )
    })
}

/// Fails if a column of impressions is named that their layout does not have.
pub(super) fn refuse_column_of_other_layout(columns: &Section<'_>, layout: ImpressionLayout) -> Result<()> {
    let (key, of) = match layout {
        ImpressionLayout::Lists => ("position", ImpressionLayout::Flat),
        ImpressionLayout::Flat => ("impressions", ImpressionLayout::Lists),
    };
    let Some(value) = columns.get(key) else { return Ok(()) };
    let what = format!("{} has {key}, which only the layout {:?} has", columns.name, of.name());
    let remedy = format!("leave it out, or set layout = {:?} in [impressions]", of.name());
    Err(columns.document.error(&value.span(), &what, &remedy))
}
