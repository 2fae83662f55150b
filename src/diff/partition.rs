//! Runs one diff from its options to its report.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::pairs::{Found, walk};
use super::report::{CellDifference, ColumnCounts, Identity, PartitionDiff, RowDifference};
use super::row_digest::{COMPARED, RowDigest, values};
use super::settings;
use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};
use crate::format::Hasher;
use crate::model::{Day, ExtraColumn, ExtraColumns, RowColumn};
use crate::options::options;
use crate::output::{PartitionFolder, ProducedFile, partitions};
use crate::parallel::each;
use crate::progress::Progress;
use crate::resources::{Cancel, Resources};
use crate::sort::{Record, Sorted, Sorter};
use crate::storage::PlacedFile;
use crate::text::Shown;

/// Rows of each side that are read again at a time: 3 MB with 1,000 actions.
const READ_AGAIN: usize = 256;

options! {
    /// The options of a diff: both output folders.
    DiffOptions(one: PathBuf, other: PathBuf) {
        /// One partition. Default: all that are in both folders.
        dt: Option<Day> = None,
        /// The maximum number of differing rows listed for each partition. Default: 20.
        limit: usize = 20,
        /// What the diff may use. Beyond its memory for sorting, of which a row takes about 190 bytes, sorted runs go
        /// to its folder for scratch files.
        resources: Resources = Resources::default(),
    }
}

/// Compares the partitions and passes each result to `take`, days ascending. Returns the days that only the first
/// output has, and those that only the second has; neither with a given day.
///
/// Memory: that for sorting, 256 rows of each side, decoded twice, one page of each column, and the rows listed without
/// their lists.
pub fn diff_partitions(
    options: &DiffOptions,
    progress: &dyn Progress,
    mut take: impl FnMut(PartitionDiff) -> Result<()>,
) -> Result<(Vec<Day>, Vec<Day>)> {
    let days = |out: &Path| -> Result<Vec<Day>> {
        Ok(partitions(&options.resources.place(out)?)?.iter().map(PartitionFolder::dt).collect())
    };
    let (of_one, of_other) = (days(&options.one)?, days(&options.other)?);
    let without = |these: &[Day], those: &[Day]| these.iter().filter(|day| !those.contains(day)).copied().collect();
    let (both, alone) = match options.dt {
        Some(dt) => (vec![dt], (Vec::new(), Vec::new())),
        None => {
            let both: Vec<Day> = of_one.iter().filter(|day| of_other.contains(day)).copied().collect();
            (both, (without(&of_one, &of_other), without(&of_other, &of_one)))
        }
    };
    if both.is_empty() {
        let (one, other) = (options.one.shown(), options.other.shown());
        return Err(Error::input(
            format!("{one} and {other} have no partition in common"),
            "name two output folders, which hold dt=…/",
        ));
    }
    for (position, dt) in (1..).zip(&both) {
        progress.item(&format!("diff {dt}"), position, both.len());
        take(diff(options, *dt, progress)?)?;
    }
    Ok(alone)
}

/// One side of the comparison.
struct Side {
    dt: String,
    files: Vec<PlacedFile>,
    /// Further columns that are compared.
    shared: ExtraColumns,
}

/// The rows of a side, sorted; their number; and a hash of them in their original order.
struct Marked {
    sorted: Sorted<RowDigest>,
    rows: u64,
    sequence: [u8; 16],
}

fn diff(options: &DiffOptions, dt: Day, progress: &dyn Progress) -> Result<PartitionDiff> {
    let folder = |out: &Path| -> Result<_> { Ok(PartitionFolder::new(&options.resources.place(out)?, dt)) };
    let folders = [folder(&options.one)?, folder(&options.other)?];
    let [one, other] = &folders;
    let mut report = PartitionDiff {
        dt,
        settings: Vec::new(),
        rows_one: 0,
        rows_other: 0,
        same: 0,
        different: 0,
        columns: Default::default(),
        only_in_one: 0,
        only_in_other: 0,
        same_order: true,
        differences: Vec::new(),
        not_listed: 0,
    };
    for folder in &folders {
        if !folder.exists()? {
            return folder.manifest().map(|_| report);
        }
    }
    report.settings = settings::compare(&one.manifest(), &other.manifest())?;
    let sides =
        [one, other].map(|folder| -> Result<Side> { Side::new(dt, folder.files()?, options.resources.cancel()) });
    let [one, other] = sides;
    let (mut one, mut other) = (one?, other?);
    let shared = one.shared.iter().filter(|column| other.shared.has(*column)).collect();
    (one.shared, other.shared) = (shared, shared);
    let cancel = options.resources.cancel();
    if same_bytes(&one.files, &other.files, cancel)? {
        for file in &one.files {
            report.rows_one += ProducedFile::open(file, cancel)?.rows();
        }
        (report.rows_other, report.same) = (report.rows_one, report.rows_one);
        return Ok(report);
    }
    progress.begin("reading", "rows", None);
    let half = options.resources.clone().with_sort_bytes(options.resources.sort_bytes() / 2);
    let mut marked = each(&half, &[&one, &other], |side| side.row_digests(&half, progress))?.into_iter();
    let (Some(of_one), Some(of_other)) = (marked.next(), marked.next()) else {
        return Err(Error::internal("one side of a comparison was not read"));
    };
    (report.rows_one, report.rows_other) = (of_one.rows, of_other.rows);
    report.same_order = of_one.sequence == of_other.sequence;
    let mut listed = Vec::new();
    walk(of_one.sorted, of_other.sorted, |found| {
        match &found {
            Found::Same => {
                report.same += 1;
                return;
            }
            Found::Differs(one, other) => {
                report.different += 1;
                report.columns.impression_item_id += u64::from(one.item != other.item);
                report.columns.label += u64::from(one.label != other.label);
                report.columns.actions += u64::from(one.actions != other.actions);
                report.columns.action_types += u64::from(one.action_types != other.action_types);
                let ColumnCounts { history_length, action_ages, action_times, .. } = &mut report.columns;
                let extra = one.extra.iter().zip(&other.extra);
                for (count, (one, other)) in [history_length, action_ages, action_times].into_iter().zip(extra) {
                    *count += u64::from(one != other);
                }
            }
            Found::OnlyInOne(_) => report.only_in_one += 1,
            Found::OnlyInOther(_) => report.only_in_other += 1,
        }
        if listed.len() < options.limit {
            listed.push(found);
        } else {
            report.not_listed += 1;
        }
    })?;
    for some in listed.chunks(READ_AGAIN) {
        report.differences.append(&mut differences(some, &one, &other, cancel)?);
    }
    Ok(report)
}

fn same_bytes(one: &[PlacedFile], other: &[PlacedFile], cancel: &Cancel) -> Result<bool> {
    if one.len() != other.len() {
        return Ok(false);
    }
    for (one, other) in one.iter().zip(other) {
        if one.bytes()? != other.bytes()? || one.fingerprint(cancel)?.xxh3_128 != other.fingerprint(cancel)?.xxh3_128 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The lists of a row that is read again.
type Lists = (Vec<i64>, Vec<i32>, [Vec<i64>; 3]);

impl Side {
    /// Returns a side with all further columns that each of its files has.
    fn new(dt: Day, files: Vec<PlacedFile>, cancel: &Cancel) -> Result<Self> {
        let mut shared: ExtraColumns = ExtraColumn::ALL.into_iter().collect();
        for file in &files {
            let with = ProducedFile::open(file, cancel)?.columns().with;
            shared = shared.iter().filter(|column| with.has(*column)).collect();
        }
        Ok(Side { dt: dt.to_string(), files, shared })
    }

    fn row_digests(&self, resources: &Resources, progress: &dyn Progress) -> Result<Marked> {
        let mut sorter = Sorter::new(resources.sort_bytes(), resources.scratch(), resources);
        let (mut sequence, mut rows, mut bytes) = (Hasher::new(), 0, Vec::new());
        for (part, path) in (0..).zip(&self.files) {
            let mut of_file = ProducedFile::open(path, resources.cancel())?.read(None)?;
            while let Some(row) = of_file.take()? {
                // The position is not hashed: part files may be cut differently.
                let nowhere = RowDigest { row: 0, ..RowDigest::new(&self.dt, 0, self.shared, &row) };
                bytes.clear();
                nowhere.encode(&mut bytes);
                sequence.add(&bytes);
                sorter.push(RowDigest { part, row: row.row, ..nowhere })?;
                rows += 1;
                progress.advance(1);
            }
        }
        Ok(Marked { sorted: sorter.finish()?, rows, sequence: sequence.digest() })
    }

    /// Returns the lists of some rows. Memory: theirs, and 256 rows.
    fn lists<'a>(
        &self,
        row_digests: impl Iterator<Item = &'a RowDigest>,
        cancel: &Cancel,
    ) -> Result<BTreeMap<(u32, u64), Lists>> {
        let mut wanted: Vec<(u32, u64)> = row_digests.map(|row_digest| (row_digest.part, row_digest.row)).collect();
        wanted.sort_unstable();
        let mut lists = BTreeMap::new();
        for of_part in wanted.chunk_by(|one, next| one.0 == next.0) {
            let Some((part, _)) = of_part.first() else { continue };
            let path = self.files.get(usize_of(*part)).held("each row is of one of the files")?;
            let mut ranges: Vec<Range<usize>> = Vec::new();
            for (_, row) in of_part {
                let index = usize_of(*row).checked_sub(1).held("rows are numbered from 1")?;
                match ranges.last_mut() {
                    Some(last) if last.end == index => last.end += 1,
                    _ => ranges.push(index..index + 1),
                }
            }
            let mut rows = ProducedFile::open(path, cancel)?.read(Some(ranges))?;
            while let Some(row) = rows.take()? {
                let extra = COMPARED.map(|column| values(&row, self.shared, column));
                lists.insert((*part, row.row), (row.actions, row.action_types, extra));
            }
        }
        Ok(lists)
    }
}

/// States that the lists of rows that differ have been read.
const READ: &str = "the lists of each row that differs were read";

fn differences(found: &[Found], one: &Side, other: &Side, cancel: &Cancel) -> Result<Vec<RowDifference>> {
    let pairs = || {
        found.iter().filter_map(|found| match found {
            Found::Differs(one, other) => Some((one, other)),
            _ => None,
        })
    };
    let lists_one = one.lists(pairs().map(|(one, _)| one), cancel)?;
    let lists_other = other.lists(pairs().map(|(_, other)| other), cancel)?;
    let mut differences = Vec::new();
    for found in found {
        differences.push(match found {
            Found::Same => continue,
            Found::OnlyInOne(of_one) => {
                RowDifference::OnlyInOne { row: identity(&one.dt, of_one), impression_item_id: of_one.item }
            }
            Found::OnlyInOther(of_other) => {
                RowDifference::OnlyInOther { row: identity(&one.dt, of_other), impression_item_id: of_other.item }
            }
            Found::Differs(of_one, of_other) => {
                let row = identity(&one.dt, of_one);
                let (actions_one, types_one, extra_one) = lists_one.get(&(of_one.part, of_one.row)).held(READ)?;
                let of_other_row = lists_other.get(&(of_other.part, of_other.row)).held(READ)?;
                let (actions_other, types_other, extra_other) = of_other_row;
                let small = [
                    cell("impression_item_id", of_one.item, of_other.item),
                    cell("label", of_one.label.into(), of_other.label.into()),
                    first_place("actions", actions_one, actions_other),
                    first_place("action_types", types_one, types_other),
                ];
                let extra = COMPARED.into_iter().zip(extra_one.iter().zip(extra_other));
                let extra = extra.filter_map(|(column, (one, other))| {
                    let difference = first_place(column.name(), one, other)?;
                    // The history length is no list.
                    let is_list = column.column() != RowColumn::HistoryLength;
                    Some(CellDifference { place: difference.place.filter(|_| is_list), ..difference })
                });
                RowDifference::Differs { row, cells: small.into_iter().flatten().chain(extra).collect() }
            }
        });
    }
    Ok(differences)
}

fn identity(dt: &str, row_digest: &RowDigest) -> Identity {
    Identity {
        dt: row_digest.other_dt.clone().unwrap_or_else(|| dt.to_owned()),
        ranking_id: row_digest.ranking_id.clone(),
        customer_id: row_digest.customer,
        impression_pos: row_digest.position,
    }
}

fn cell(column: &'static str, one: i64, other: i64) -> Option<CellDifference> {
    (one != other).then_some(CellDifference { column, place: None, one: Some(one), other: Some(other) })
}

/// Returns where two lists first differ; the end of the shorter list counts.
fn first_place<T: Copy + Into<i64> + PartialEq>(
    column: &'static str,
    one: &[T],
    other: &[T],
) -> Option<CellDifference> {
    let index = (0..one.len().max(other.len())).find(|index| one.get(*index) != other.get(*index))?;
    let value = |list: &[T]| list.get(index).copied().map(T::into);
    Some(CellDifference { column, place: Some(index + 1), one: value(one), other: value(other) })
}
