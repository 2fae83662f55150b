//! A plot in the page: its title, its legend, and the table of its figures.

use plotters::style::RGBColor;

use super::chart::{BLUE, Chart, Format, GREEN, ORANGE, Shape};
use super::html::escape;
use super::periods::Period;
use crate::error::Result;

/// Receives the page part by part, as it is drawn.
pub(super) type Put<'a> = dyn FnMut(&str) -> Result<()> + 'a;

/// A plot with its title, legend and table.
pub(super) struct Card<'a> {
    /// Its anchor in the page.
    pub id: &'static str,
    pub title: &'static str,
    /// The content of the plot, and its unit.
    pub subtitle: String,
    pub chart: Chart,
    pub table: Table<'a>,
}

/// The figures of a plot.
pub(super) struct Table<'a> {
    /// A note on the rows, or nothing.
    pub words: String,
    /// The columns: their names in `data-column`, and their heads. The first column has the day or place.
    pub columns: Vec<(String, String)>,
    /// There may be many rows, so each is written as it is computed.
    pub rows: Box<dyn Iterator<Item = Vec<Cell>> + 'a>,
}

/// Returns the columns of a table, by names and heads.
pub(super) fn heads(columns: &[(&str, &str)]) -> Vec<(String, String)> {
    columns.iter().map(|(name, head)| ((*name).to_owned(), (*head).to_owned())).collect()
}

/// A figure.
pub(super) struct Cell {
    /// For programs: digits, or a day.
    pub value: String,
    /// For people.
    pub text: String,
}

impl Cell {
    /// Returns a cell with the same text for programs and people.
    pub(super) fn plain(text: impl ToString) -> Self {
        Cell { value: text.to_string(), text: text.to_string() }
    }

    /// Returns a cell with a period; its first day for programs.
    pub(super) fn period(period: Period) -> Self {
        Cell { value: period.first.to_string(), text: period.to_string() }
    }

    /// Returns a cell with a number.
    pub(super) fn count(number: u64) -> Self {
        Cell { value: number.to_string(), text: crate::text::count(number) }
    }

    /// Returns a cell with a number of bytes.
    pub(super) fn size(bytes: u64) -> Self {
        Cell { value: bytes.to_string(), text: crate::text::size(bytes) }
    }

    /// Returns a cell with a ratio; without a value if there is no ratio.
    pub(super) fn ratio(ratio: Option<f64>) -> Self {
        let value = ratio.map(|ratio| format!("{ratio:.6}")).unwrap_or_default();
        Cell { value, text: ratio.map_or_else(|| "–".to_owned(), crate::text::percent) }
    }
}

impl Card<'_> {
    /// Writes the card as HTML. Memory: one drawing of the plot, and one row of the table.
    pub(super) fn write(self, put: &mut Put<'_>) -> Result<()> {
        let Card { id, title, subtitle, chart, table } = self;
        put(&format!(
            "<section class=\"card\" id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n<p class=\"unit\">{}</p>\n{}\
             <figure>\n",
            escape(&subtitle),
            legend(&chart),
        ))?;
        for format in [Format::Wide, Format::Narrow] {
            put(&chart.svg(format)?)?;
        }
        put("</figure>\n")?;
        table.write(id, put)?;
        put("</section>\n")
    }
}

fn legend(chart: &Chart) -> String {
    let mut keys: Vec<String> = Vec::new();
    let is_named = chart.series.len() > 1 && chart.shape != Shape::Cells;
    if is_named {
        let series = chart.series.iter();
        keys.extend(
            series.map(|(name, color)| key(&format!("{} {}", class_of(*color), shape_class(chart.shape)), name)),
        );
    }
    if chart.shape == Shape::Cells {
        keys.push(key("blue", "there"));
        if chart.points.iter().any(|point| point.values.contains(&Some(0.0))) {
            keys.push(key("red", "missing"));
        }
    } else {
        if chart.points.iter().any(|point| point.marked.contains(&true)) {
            let anomaly = if chart.shape == Shape::Bars { "mark" } else { "ring" };
            keys.push(key(anomaly, "deviates strongly from the seven days before"));
        }
        if !chart.gaps.is_empty() {
            keys.push(key("gap", "missing"));
        }
    }
    if keys.is_empty() { String::new() } else { format!("<ul class=\"legend\">{}</ul>\n", keys.concat()) }
}

fn key(class: &str, name: &str) -> String {
    format!("<li><span class=\"key {class}\" aria-hidden=\"true\"></span>{}</li>", escape(name))
}

fn class_of(color: RGBColor) -> &'static str {
    match color {
        BLUE => "blue",
        ORANGE => "orange",
        GREEN => "green",
        _ => "red",
    }
}

fn shape_class(shape: Shape) -> &'static str {
    if shape == Shape::Lines { "line" } else { "" }
}

impl Table<'_> {
    fn write(self, name: &str, put: &mut Put<'_>) -> Result<()> {
        let heads = self.columns.iter().map(|(column, head)| {
            format!("<th scope=\"col\" data-column=\"{}\">{}</th>", escape(column), escape(head))
        });
        let words = match self.words.as_str() {
            "" => String::new(),
            words => format!("<p class=\"unit\">{}</p>\n", escape(words)),
        };
        put(&format!(
            "<details><summary>Table of the figures</summary>\n{words}<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of the figures\"><table \
             data-table=\"{name}\">\n<thead><tr>{}</tr></thead>\n<tbody>\n",
            heads.collect::<String>(),
        ))?;
        for row in self.rows {
            let cells = row.iter().enumerate().map(|(place, Cell { value, text })| {
                let (value, text) = (escape(value), escape(text));
                match place {
                    0 => format!("<th scope=\"row\" data-value=\"{value}\">{text}</th>"),
                    _ => format!("<td data-value=\"{value}\">{text}</td>"),
                }
            });
            put(&format!("<tr>{}</tr>\n", cells.collect::<String>()))?;
        }
        put("</tbody>\n</table></div></details>\n")
    }
}
