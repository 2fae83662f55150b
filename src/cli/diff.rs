//! `lookback diff`.

use serde::Serialize;

use super::args::Diff;
use super::console::Console;
use super::text::{count, counted};
use lookback::diff::{
    CellDifference, DiffOptions, Identity, PartitionDiff, RowDifference, SettingDifference, diff_partitions,
};
use lookback::error::{Error, Kind, Result};
use lookback::model::{Day, name_days};
use lookback::text::Shown;

#[derive(Serialize)]
struct Summary {
    one: String,
    other: String,
    /// Whether both have the same partitions with the same rows.
    same: bool,
    partitions: Vec<PartitionDiff>,
    only_in_one: Vec<Day>,
    only_in_other: Vec<Day>,
}

pub(super) fn run(typed: &Diff, console: &Console) -> Result<()> {
    let options = DiffOptions::new(&typed.one, &typed.other)
        .dt(typed.dt)
        .limit(typed.limit)
        .resources(console.resources().clone());
    let (mut partitions, mut compared, mut different, mut rows) = (Vec::new(), 0_u64, 0, 0);
    let (only_in_one, only_in_other) = diff_partitions(&options, console.progress(), |partition| {
        compared += 1;
        rows += partition.rows_one;
        different += u64::from(!partition.is_same());
        if console.is_json() {
            partitions.push(partition);
            return Ok(());
        }
        lines(&partition).iter().try_for_each(|line| console.result_line(line))
    })?;
    let (one, other) = (typed.one.plain(), typed.other.plain());
    let alone: Vec<String> = [(&one, &only_in_one), (&other, &only_in_other)]
        .iter()
        .filter(|(_, days)| !days.is_empty())
        .map(|(out, days)| format!("only in {out}: {}", name_days(days)))
        .collect();
    let same = different == 0 && alone.is_empty();
    let summary = Summary { one, other, same, partitions, only_in_one, only_in_other };
    if same {
        let sentence = format!("compared {}: the same {}", counted(compared, "partition"), counted(rows, "row"));
        return console.done(&summary, &sentence);
    }
    console.found(&summary)?;
    let mut parts = alone;
    if different > 0 {
        parts.insert(0, format!("{} of {} different", count(different), counted(compared, "partition")));
    }
    Err(Error::new(
        Kind::Different,
        format!("the rows differ: {}", parts.join("; ")),
        "run `lookback audit` to see which rows are right",
    ))
}

/// Returns the lines about one partition: settings first.
fn lines(partition: &PartitionDiff) -> Vec<String> {
    let PartitionDiff { dt, same, different, columns, only_in_one, only_in_other, .. } = partition;
    let settings = partition.settings.iter().map(|settings| match settings {
        // Days or files with the same names but different content.
        SettingDifference { what, one, other } if one == other => {
            format!("{dt}: {what} with the same names differ: {one}")
        }
        SettingDifference { what, one, other } => format!("{dt}: {what} is {one} and {other}"),
    });
    let mut lines: Vec<String> = settings.collect();
    if partition.is_same() {
        let order = if partition.same_order { "" } else { ", in another order" };
        lines.push(format!("{dt}: the same {}{order}", counted(*same, "row")));
        return lines;
    }
    let of_columns = [
        (columns.impression_item_id, "impression_item_id"),
        (columns.label, "label"),
        (columns.actions, "actions"),
        (columns.action_types, "action_types"),
        (columns.history_length, "history_length"),
        (columns.action_ages, "action_ages"),
        (columns.action_times, "action_times"),
    ];
    let of_columns = of_columns.iter().filter(|(number, _)| *number > 0);
    let of_columns: Vec<String> = of_columns.map(|(number, name)| format!("{name} {}", count(*number))).collect();
    let of_columns = if of_columns.is_empty() { String::new() } else { format!(" ({})", of_columns.join(", ")) };
    lines.push(format!(
        "{dt}: {} and {}: {} the same, {} different{of_columns}, {} only in the first, {} only in the second",
        counted(partition.rows_one, "row"),
        counted(partition.rows_other, "row"),
        count(*same),
        count(*different),
        count(*only_in_one),
        count(*only_in_other),
    ));
    lines.extend(partition.differences.iter().map(line));
    if partition.not_listed > 0 {
        lines.push(format!("… and {} more", counted(partition.not_listed, "row")));
    }
    lines
}

fn line(difference: &RowDifference) -> String {
    let (row, what) = match difference {
        RowDifference::Differs { row, cells } => (row, cells.iter().map(cell).collect::<Vec<_>>().join(", ")),
        RowDifference::OnlyInOne { row, impression_item_id } => {
            (row, format!("only in the first, item {impression_item_id}"))
        }
        RowDifference::OnlyInOther { row, impression_item_id } => {
            (row, format!("only in the second, item {impression_item_id}"))
        }
    };
    let Identity { dt, ranking_id, customer_id, impression_pos } = row;
    let ranking_id = ranking_id.as_ref().map_or_else(|| "null".to_owned(), |id| format!("{id:?}"));
    format!("  dt {dt} ranking_id {ranking_id} customer_id {customer_id} impression_pos {impression_pos}: {what}")
}

fn cell(cell: &CellDifference) -> String {
    let value = |value: Option<i64>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
    let place = cell.place.map_or_else(String::new, |place| format!(" place {place}"));
    format!("{}{place} is {} and {}", cell.column, value(cell.one), value(cell.other))
}
