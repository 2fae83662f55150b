//! Tables of text.

use super::lines::Lines;
use lookback::text::escaped;

/// Returns lines of right-aligned (numbers) or left-aligned columns, two spaces apart, under a header.
pub(super) fn table(head: &[&str], right: &[bool], rows: &[Vec<String>]) -> Lines {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escaped(cell).into_owned()).collect()).collect();
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([name.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .zip(right)
            .map(|((cell, width), right)| if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") })
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let head = line(&mut head.iter().copied());
    [head].into_iter().chain(rows.iter().map(|row| line(&mut row.iter().map(String::as_str)))).collect()
}
