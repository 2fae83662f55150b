//! `lookback show`.

use serde::Serialize;

use super::args::Show;
use super::console::Console;
use super::ids;
use super::lines::Lines;
use super::table::table;
use super::text::{count, counted};
use lookback::error::{Error, Result};
use lookback::store::{Folder, Store};

#[derive(Serialize)]
struct Shown {
    customer: i64,
    /// What the customer was given as, if the store's customers are text.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_text: Option<String>,
    dt: String,
    cut_off: String,
    /// The number of actions in the history; more than are listed if there is a limit.
    history_length: usize,
    actions: Vec<ShownAction>,
}

#[derive(Serialize)]
struct ShownAction {
    time: String,
    time_us: i64,
    action_type: String,
    item_id: i64,
}

pub(super) fn run(typed: &Show, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let ids = store.settings().ids;
    let customer = ids::customer(&typed.customer, ids)?;
    let newest = || store.batches().map(|batches| batches.newest(None).and_then(|day| day.next()));
    let dt = match typed.dt {
        Some(dt) => dt,
        None => newest()?
            .ok_or_else(|| Error::refused("the store holds no batch", "ingest one first, or name a day with --dt"))?,
    };
    let zone = &store.settings().zone;
    let history = store.history(customer, dt)?;
    let actions = history.iter().take(typed.limit.unwrap_or(usize::MAX)).map(|action| ShownAction {
        time: zone.display(action.time_us),
        time_us: action.time_us,
        action_type: store.settings().types.name(action.action_type.number()),
        item_id: action.item_id,
    });
    let shown = Shown {
        customer: customer.0,
        customer_text: ids::text_of(&typed.customer, ids.customer),
        dt: dt.to_string(),
        cut_off: zone.display(zone.start_of(dt)),
        history_length: history.len(),
        actions: actions.collect(),
    };
    console.result(&shown, &text(&shown))
}

fn text(shown: &Shown) -> Lines {
    let Shown { customer, customer_text, dt, cut_off, history_length, actions } = shown;
    let customer = customer_text.clone().unwrap_or_else(|| customer.to_string());
    let length = counted(*history_length as u64, "action");
    let mut text = Lines::default();
    text.push(&format!("customer {customer} as of {dt}: {length} before {cut_off}"));
    if actions.is_empty() {
        return text;
    }
    let rows = actions.iter().enumerate().map(|(place, action)| {
        vec![(place + 1).to_string(), action.time.clone(), action.action_type.clone(), action.item_id.to_string()]
    });
    text.append(&table(&["#", "time", "type", "item"], &[true, false, false, true], &rows.collect::<Vec<_>>()));
    if *history_length > actions.len() {
        text.push(&format!("… and {} more", count((history_length - actions.len()) as u64)));
    }
    text
}
