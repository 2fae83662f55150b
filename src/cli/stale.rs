//! `lookback stale`.

use super::args;
use super::console::Console;
use super::lines::Lines;
use super::text::{count, counted};
use super::words;
use lookback::error::{Error, Kind, Result};
use lookback::stale::{Known, ListedPartition, StaleSummary, list_stale};
use lookback::store::{Folder, Store};

pub(super) fn run(typed: &args::Stale, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let known = match (typed.as_daily, typed.known_as_of) {
        (true, _) => Known::DayBefore,
        (false, Some(day)) => Known::AsOf(day),
        (false, None) => Known::All,
    };
    let mut summary = list_stale(&store, &typed.out, known, console.progress())?;
    for partition in &mut summary.listed {
        let ListedPartition { text, unreadable, .. } = partition;
        for said in std::iter::once(text).chain(unreadable) {
            *said = words::typed(said).into();
        }
    }
    let lines = summary.listed.iter().map(|partition| format!("{}  {}", partition.dt, partition.text));
    console.result(&summary, &lines.collect::<Lines>())?;
    let found = sentence(&summary);
    if typed.exit_code && !summary.listed.is_empty() {
        return Err(Error::new(
            Kind::Different,
            format!("not all partitions are current: {found}"),
            "produce them again with `lookback backfill`",
        ));
    }
    console.message(&found);
    Ok(())
}

fn sentence(summary: &StaleSummary) -> String {
    let StaleSummary { out, partitions, stale, without_manifest, .. } = summary;
    let stale = match stale {
        0 => "none is stale".to_owned(),
        1 => "1 is stale".to_owned(),
        more => format!("{} are stale", count(*more as u64)),
    };
    let unknown = match without_manifest {
        0 => String::new(),
        1 => ", and 1 has no usable manifest".to_owned(),
        more => format!(", and {} have no usable manifest", count(*more as u64)),
    };
    format!("of {} in {out} {stale}{unknown}", counted(*partitions as u64, "partition"))
}
