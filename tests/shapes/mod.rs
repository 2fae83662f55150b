//! Rows in structs, in lists that are exploded, and one behind the other on a line: they make the store and the rows
//! that the same rows in flat files make.

mod columns;
mod faults;
mod ids;
mod impressions;
mod same;

use crate::support::input::us;
use crate::support::output::{Entries, dump};
use crate::support::program::{Bench, write_file};
use crate::support::random::Random;

const DAY: &str = "2026-01-02";
const INGEST: &str = "ingest --create --store store --input input --dt 2026-01-02";

/// What a customer did: item, milliseconds, type.
type Event = (i64, i64, &'static str);

/// A customer with events.
struct Session {
    user: i64,
    events: Vec<Event>,
}

fn random_sessions(random: &mut Random) -> Vec<Session> {
    let mut below = |end: u64| i64::try_from(random.below(end)).unwrap();
    let sessions = (0..60).map(|number| {
        let events = (0..1 + below(6)).map(|_| {
            let kind = ["clicks", "carts", "orders"][usize::try_from(below(3)).unwrap()];
            (1 + below(9), us("2026-01-02T08:00:00Z") / 1_000 + below(40_000_000), kind)
        });
        Session { user: number % 17, events: events.collect() }
    });
    sessions.collect()
}

/// A configuration of one source of events with these columns, and more in its table.
fn config(columns: [&str; 4], more: &str) -> String {
    let [customer, item, time, kind] = columns;
    format!(
        "[types]\nclicks = 1\ncarts = 2\norders = 3\n[sources.events]\npattern = \"events/dt={{dt}}\"\ntime_unit = \"ms\"\n\
         columns = {{ customer_id = {customer:?}, item_id = {item:?}, time = {time:?}, type = {kind:?} }}\n{more}\n"
    )
}

const FLAT: [&str; 4] = ["user", "aid", "ts", "type"];

fn write(bench: &Bench, config: &str, name: &str, content: &[u8]) {
    write_file(&bench.input().join("lookback.toml"), config.as_bytes());
    write_file(&bench.input().join(format!("events/dt={DAY}/{name}")), content);
}

/// What a store holds, apart from the record of its batch.
fn content(bench: &Bench) -> Entries {
    let mut entries = dump(&bench.store());
    entries.retain(|(key, _)| key[0] != 0x14);
    entries
}
