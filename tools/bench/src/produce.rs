//! Part `produce`: rows from the store to a partition on one thread, in turns with `pages`, which makes the same files
//! without the store.

use std::fs;
use std::path::{Path, PathBuf};

use lookback::error::{Error, Result};
use lookback::internals::output::RowSettings;
use lookback::model::{RowColumns, RowOrder};
use lookback::output::{Compression, FileSizes};
use lookback::produce::{ProduceOptions, RowChoice, produce};
use lookback::progress::Silent;
use lookback::resources::Resources;
use lookback::store::Store;
use lookback::text::{count, counted};

use crate::clock::Spent;
use crate::input::Input;
use crate::pages::Pages;
use crate::rounds::{Pass, Ratio, Rounds};
use crate::table::Line;

/// What the program itself writes unless told otherwise.
const COMPRESSION: Compression = Compression::Zstd;

/// A produce reads impressions, sorts them and reads histories besides; all that may take as long again as its pages.
const RATIO_MIN: f64 = 0.5;

/// The two in turns, after their files have been compared byte by byte.
pub fn measure(input: &Input, store: &Store, work: &Path, rounds: Rounds) -> Result<Vec<Line>> {
    let pages = Pages::read(input, store, settings(input, store)?)?;
    let (pages_out, produce_out) = (work.join("pages"), work.join("rows"));
    let options = ProduceOptions::new(&input.root, input.day, &produce_out)
        .rows(RowChoice::default().compression(Some(COMPRESSION)))
        .allow_gaps(true)
        .resources(Resources::default().with_threads(1));
    let mut pages_pass: Pass<'_> = Box::new(|| {
        remove(&pages_out)?;
        fs::create_dir_all(&pages_out).map_err(|error| Error::io("create", &pages_out, error))?;
        Ok(Spent::on(|| pages.write(&pages_out))?.0)
    });
    let mut produce_pass: Pass<'_> = Box::new(|| {
        remove(&produce_out)?;
        Ok(Spent::on(|| produce(store, &options, &Silent))?.0)
    });
    pages_pass()?;
    produce_pass()?;
    let bytes = same_files(&pages_out, &produce_out.join(format!("dt={}", input.day)))?;
    let [of_pages, of_produce] = rounds.in_turns([pages_pass, produce_pass])?;
    remove(&pages_out)?;
    remove(&produce_out)?;

    let [groups, impressions, customers, actions] = pages.sizes();
    let what = format!(
        "{} rows in {}, {} impressions, {} customers, {} actions, {:.1} MB",
        count(pages.rows()),
        counted(groups, "row group"),
        count(impressions),
        count(customers),
        count(actions),
        bytes as f64 / 1e6
    );
    let rows = [(pages.rows(), "rows")];
    let wall = Ratio::of_rates(&of_produce, &of_pages, |spent| spent.wall_s);
    let cpu = Ratio::of_rates(&of_produce, &of_pages, |spent| spent.cpu_s);
    let judgement = if wall.median >= RATIO_MIN { "holds" } else { "does not hold" };
    let line = Line::timed("produce", "the same from store to partition, one thread".to_owned(), &of_produce, &rows);
    Ok(vec![
        Line::timed("pages", format!("{what}, one thread"), &of_pages, &rows),
        line.with_ratio("produce/pages", wall, cpu).judged(&format!("; at least {RATIO_MIN} {judgement}")),
    ])
}

/// As a produce without options has them.
fn settings(input: &Input, store: &Store) -> Result<RowSettings> {
    let held = store.settings();
    Ok(RowSettings {
        dt: input.day,
        cut_off: held.zone.display(held.zone.start_of(input.day)),
        time_zone: held.zone.name().to_owned(),
        zone_rules: None,
        max_history: held.max_history,
        lookback_days: None,
        newest_batch: store.batches()?.newest(None),
        action_types: None,
        compression: COMPRESSION,
        sizes: FileSizes::default(),
        columns: RowColumns::default(),
        order: RowOrder::Customer,
        duplicates: held.duplicates,
    })
}

/// Fails unless both folders have the same part files; gives their size. So what is compared is the same work.
fn same_files(pages: &Path, partition: &Path) -> Result<u64> {
    let (of_pages, of_produce) = (parts(pages)?, parts(partition)?);
    let same = !of_pages.is_empty() && of_pages == of_produce;
    if !same {
        return Err(Error::corrupt(format!("{} and {} differ", pages.display(), partition.display())));
    }
    Ok(of_pages.iter().map(|(_, bytes)| bytes.len() as u64).sum())
}

fn parts(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Error::io("list", folder, error))? {
        let path = entry.map_err(|error| Error::io("list", folder, error))?.path();
        let name = path.file_name().unwrap_or_default().to_owned();
        if name.to_string_lossy().starts_with("part-") {
            let bytes = fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
            parts.push((name.into(), bytes));
        }
    }
    parts.sort();
    Ok(parts)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", folder, error)),
        _ => Ok(()),
    }
}
