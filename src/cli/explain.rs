//! `lookback explain`.

use serde::Serialize;

use super::args::Explain;
use super::console::Console;
use super::ids;
use super::lines::Lines;
use super::table::table;
use super::text::{count, counted};
use lookback::error::Result;
use lookback::exact::Held;
use lookback::histories::{Explained, Explanation, LeftOut, LeftOutCounts, explain};
use lookback::model::name_days;
use lookback::store::{Folder, Store};

pub(super) fn run(typed: &Explain, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let limit = typed.limit.unwrap_or(usize::MAX);
    let ids = store.settings().ids;
    let customer = ids::customer(&typed.customer, ids)?;
    let item = typed.item.as_ref().map(|typed| ids::item(typed, ids)).transpose()?;
    let asked = AskedExplanation {
        explanation: explain(&store, &typed.history.question(typed.dt), customer, item, limit)?,
        customer_text: ids::text_of(&typed.customer, ids.customer),
        item_text: typed.item.as_ref().and_then(|typed| ids::text_of(typed, ids.item)),
    };
    console.result(&asked, &text(&asked)?)
}

/// An explanation, with the ids as they were given where they are text.
#[derive(Serialize)]
struct AskedExplanation {
    #[serde(flatten)]
    explanation: Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_text: Option<String>,
}

fn text(asked: &AskedExplanation) -> Result<Lines> {
    let AskedExplanation { explanation, customer_text, item_text } = asked;
    let customer = customer_text.clone().unwrap_or_else(|| explanation.customer.to_string());
    let Explanation { dt, cut_off, history_length, left_out, actions, not_listed, .. } = explanation;
    if explanation.forgotten {
        let forgotten = format!(
            "customer {customer} has been forgotten: the store neither holds nor accepts their actions, and `produce` writes no rows for them"
        );
        return Ok([forgotten].into_iter().collect());
    }
    let LeftOutCounts { known_as_of, lookback_days, max_history } = left_out;
    let all_left_out = known_as_of + lookback_days + max_history;
    let title = if history_length + all_left_out == 0 {
        format!("customer {customer} has no actions before {cut_off} in the store")
    } else {
        let parts = [
            (*known_as_of, "of batches not known then"),
            (*lookback_days, "older than the days that count"),
            (*max_history, "beyond the number that counts"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts.map(|(number, why)| format!("{} {why}", count(*number))).collect();
        format!(
            "customer {customer} as of {dt}: {} before {cut_off} in the history, {} left out{}{}",
            counted(*history_length, "action"),
            count(all_left_out),
            if parts.is_empty() { "" } else { ": " },
            parts.join(", ")
        )
    };
    let mut text = Lines::default();
    text.push(&title);
    match explanation.item {
        Some(item) if actions.is_empty() && *not_listed == 0 && history_length + all_left_out > 0 => {
            let item = item_text.clone().unwrap_or_else(|| item.to_string());
            text.push(&format!("none of them is on item {item}"));
        }
        _ if actions.is_empty() => {}
        _ => text.append(&table(&HEAD, &RIGHT, &actions.iter().map(cells).collect::<Vec<_>>())),
    }
    if *not_listed > 0 {
        text.push(&format!("… and {} more", count(*not_listed)));
    }
    text.append(&remarks(explanation)?);
    Ok(text)
}

const HEAD: [&str; 7] = ["#", "time", "type", "item", "batch", "came", "in the history"];
const RIGHT: [bool; 7] = [true, false, false, true, false, false, false];

fn cells(action: &Explained) -> Vec<String> {
    let inside = match action.left_out {
        None => "yes",
        Some(LeftOut::KnownAsOf) => "no: known_as_of",
        Some(LeftOut::LookbackDays) => "no: lookback_days",
        Some(LeftOut::MaxHistory) => "no: max_history",
    };
    vec![
        action.place.map_or_else(|| "-".to_owned(), |place| place.to_string()),
        action.time.clone(),
        action.action_type.clone(),
        action.item_id.to_string(),
        action.batch.to_string(),
        came(action.days_late),
        inside.to_owned(),
    ]
}

/// Returns when the batch arrived, relative to the day of the action.
fn came(days_late: i32) -> String {
    let days = counted(u64::from(days_late.unsigned_abs()), "day");
    match days_late {
        0 => "same day".to_owned(),
        1.. => format!("{days} late"),
        _ => format!("{days} early"),
    }
}

/// Returns the notes needed to read the list.
fn remarks(explanation: &Explanation) -> Result<Lines> {
    let Explanation { max_history, first_left_out, incomplete_behind, horizon, missing_batches, .. } = explanation;
    let mut remarks = Lines::default();
    if let Some(first) = first_left_out {
        let place = first.place.held("what is left out as too old or too many has a place")?;
        let why = match first.left_out {
            Some(LeftOut::LookbackDays) => {
                let limit = explanation.oldest.zip(explanation.lookback_days);
                let (oldest, days) = limit.held("what is left out as too old is so by the days asked for")?;
                format!("it is from before {oldest}, where --lookback-days {days} begins")
            }
            _ => format!("only the newest {} count (max_history)", count(*max_history as u64)),
        };
        remarks.push(&format!(
            "the first left out is number {}, the {} of {} on item {} from batch {}: {why}",
            count(place),
            first.action_type,
            first.time,
            first.item_id,
            first.batch
        ));
    }
    if let Some(place) = incomplete_behind {
        remarks.push(&format!(
            "there may have been more after number {}: of one batch and day the store keeps only as many as a history can have",
            count(*place)
        ));
    }
    if let Some(horizon) = horizon {
        remarks.push(&format!("actions from before {horizon} have been pruned"));
    }
    if !missing_batches.is_empty() {
        remarks.push(&format!("batches that the store does not hold: {}", name_days(missing_batches)));
    }
    Ok(remarks)
}
