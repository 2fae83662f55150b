//! `lookback stale`.

use super::args::{self, Judged};
use super::console::Console;
use super::lines::Lines;
use super::text::{count, counted};
use super::words;
use lookback::error::{Error, Kind, Result};
use lookback::stale::{Known, ListedPartition, StaleSummary, list_stale};
use lookback::store::{Folder, Store};

pub(super) fn run(typed: &args::Stale, console: &Console) -> Result<()> {
    let store = Store::open_reader(&Folder::with(&typed.store, console.resources()))?;
    let Judged { out, exit_code, .. } = &typed.judged;
    let mut summary = list_stale(&store, out, known(&typed.judged), console.progress())?;
    in_words(&mut summary);
    console.result(&summary, &lines(&summary))?;
    say(&summary, "", (*exit_code).then_some("produce them again with `lookback backfill`"), console)
}

/// Returns which batches count for a partition.
pub(super) fn known(judged: &Judged) -> Known {
    match (judged.as_daily, judged.known_as_of) {
        (true, _) => Known::DayBefore,
        (false, Some(day)) => Known::AsOf(day),
        (false, None) => Known::All,
    }
}

/// Puts what is said of each partition in the words of the command line.
pub(super) fn in_words(summary: &mut StaleSummary) {
    for partition in &mut summary.listed {
        let ListedPartition { text, unreadable, .. } = partition;
        for said in std::iter::once(text).chain(unreadable) {
            *said = words::typed(said).into();
        }
    }
}

/// Returns a line for each partition.
pub(super) fn lines(summary: &StaleSummary) -> Lines {
    summary.listed.iter().map(|partition| format!("{}  {}", partition.dt, partition.text)).collect()
}

/// Says what was found, and `more` behind it. With a remedy, any partition that is listed is an error.
pub(super) fn say(summary: &StaleSummary, more: &str, remedy: Option<&'static str>, console: &Console) -> Result<()> {
    let found = sentence(summary) + more;
    match remedy.filter(|_| !summary.listed.is_empty()) {
        Some(remedy) => Err(Error::new(Kind::Different, format!("not all partitions are current: {found}"), remedy)),
        None => {
            console.message(&found);
            Ok(())
        }
    }
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
