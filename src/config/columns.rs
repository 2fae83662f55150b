//! Names of columns that a program gives instead of a file.

use std::collections::BTreeMap;

use super::nearest::nearest;
use super::read::{COLUMN_KEYS, IMPRESSION_COLUMN_KEYS, is_source_name};
use crate::error::{Error, Result};
use crate::model::ActionType;
use crate::sources::{ActionSource, ImpressionLayout, Pattern, Sources, TypeRule, WithoutCustomer, source_rank};

/// Reads columns of a source under other names: `columns` has the names by their keys, as the table `columns` of a
/// configuration does; `impressions` names the impressions, which have the flat layout if their `position` is named. A
/// source that is not described yet becomes one, if its columns of time and type are named.
///
/// The values of a column of types are names of types or their numbers, unless the source has values already.
///
/// Fails if there is no such key, and if a new source lacks a column.
///
/// ```
/// # fn main() -> lookback::error::Result<()> {
/// use lookback::config::name_columns;
/// use lookback::sources::Sources;
///
/// let mut sources = Sources::default();
/// name_columns(&mut sources, "clicks", &[("item_id".to_owned(), "sku".to_owned())].into())?;
/// assert_eq!(sources.named("clicks").map(|clicks| clicks.item_id.as_str()), Some("sku"));
/// # Ok(())
/// # }
/// ```
pub fn name_columns(sources: &mut Sources, source: &str, columns: &BTreeMap<String, String>) -> Result<()> {
    if source == "impressions" {
        refuse_unknown(source, columns, &IMPRESSION_COLUMN_KEYS)?;
        let shown = &mut sources.impressions;
        let fields = [
            &mut shown.ranking_id,
            &mut shown.customer_id,
            &mut shown.impressions,
            &mut shown.item_id,
            &mut shown.is_order,
            &mut shown.position,
        ];
        if columns.contains_key("position") {
            shown.layout = ImpressionLayout::Flat;
        }
        for (key, field) in IMPRESSION_COLUMN_KEYS.into_iter().zip(fields) {
            if let Some(name) = columns.get(key) {
                name.clone_into(field);
            }
        }
        return Ok(());
    }
    refuse_unknown(source, columns, &COLUMN_KEYS)?;
    let by_names = sources.types.iter().map(|(number, name)| (name.to_owned(), number));
    let by_numbers = sources.types.iter().map(|(number, _)| (number.to_string(), number));
    let values: BTreeMap<_, _> =
        by_numbers.chain(by_names).map(|(value, number)| (value, ActionType::from_number(number))).collect();
    if sources.named(source).is_none() {
        let new = new_source(source, columns, sources)?;
        sources.actions.push(new);
        sources.actions.sort_by(|one, other| source_rank(&one.name).cmp(&source_rank(&other.name)));
    }
    let described = sources.actions.iter_mut().filter(|described| described.name == source);
    for ActionSource { customer_id, item_id, time, date, types, .. } in described {
        if let Some(name) = columns.get("time") {
            // With another time column, the default column's fallback does not apply.
            (*time, *date) = (name.clone(), None);
        }
        if let Some(name) = columns.get("date") {
            *date = Some(name.clone());
        }
        for (key, field) in [("customer_id", customer_id), ("item_id", item_id)] {
            if let Some(name) = columns.get(key) {
                name.clone_into(field);
            }
        }
        if let Some(name) = columns.get("type") {
            let values = match types {
                TypeRule::Column { values, .. } if !values.is_empty() => std::mem::take(values),
                TypeRule::Column { .. } | TypeRule::Constant(_) => values.clone(),
            };
            *types = TypeRule::Column { column: name.clone(), values };
        }
    }
    Ok(())
}

/// Returns a source of which nothing is known but its columns.
fn new_source(source: &str, columns: &BTreeMap<String, String>, sources: &Sources) -> Result<ActionSource> {
    if !is_source_name(source) {
        return Err(Error::usage(
            format!("{source:?} is not a valid name of a source"),
            "give 1 to 64 letters, digits, _ and - of ASCII",
        ));
    }
    let named = |key: &str| {
        columns.get(key).ok_or_else(|| {
            Error::usage(
                format!("there is no source {source}, and its columns do not name one for {key}"),
                "name the columns of time and type, or describe the source in lookback.toml",
            )
        })
    };
    Ok(ActionSource {
        name: source.to_owned(),
        pattern: Pattern::hive(source),
        format: None,
        customer_id: "customer_id".to_owned(),
        item_id: "item_id".to_owned(),
        time: named("time")?.clone(),
        date: None,
        time_unit: None,
        time_format: None,
        int96: None,
        without_customer: WithoutCustomer::default(),
        distinct_by: None,
        order_column: None,
        types: TypeRule::Column { column: named("type")?.clone(), values: BTreeMap::new() },
        ids: sources.ids(),
        explode: None,
        csv: sources.impressions.csv.clone(),
    })
}

fn refuse_unknown(source: &str, columns: &BTreeMap<String, String>, keys: &[&str]) -> Result<()> {
    let Some(unknown) = columns.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    let meant =
        nearest(unknown, keys.iter().copied()).map_or(String::new(), |meant| format!("; did you mean {meant}?"));
    Err(Error::usage(
        format!("the columns of {source} have no {unknown:?} (they have: {})", keys.join(", ")),
        format!("give the names of columns by these keys{meant}"),
    ))
}
