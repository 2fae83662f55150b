//! The page around the plots: its title, the summary, and the marked days.

use super::card::Put;
use super::html::escape;
use super::partitions::{ReadFrom, ratio};
use super::plots::Figures;
use crate::error::Result;
use crate::format::FORMAT_VERSION;
use crate::model::{Day, RULE, name_days};
use crate::output::REPORT_BEGINS;
use crate::text::{count, counted, percent, size};

/// The maximum number of marks in the summary; plots and tables have the others.
const LISTED_MAX: usize = 12;

const STYLE: &str = include_str!("style.css");

/// A figure of the summary: name and value for programs, name and value for people, and a remark.
struct Tile {
    name: &'static str,
    value: String,
    label: &'static str,
    text: String,
    remark: String,
}

/// Writes the page, which loads nothing: no script, no network. Memory: one plot.
pub(super) fn write_page(title: &str, figures: &Figures<'_>, put: &mut Put<'_>) -> Result<()> {
    let title = escape(title);
    put(&format!(
        "{REPORT_BEGINS}{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>{}</p>\n</header>\n<main>\n{}{}",
        escape(&introduction(figures)),
        tiles(figures),
        standing_out(figures),
    ))?;
    figures.each_card(&mut |card| card.write(put))?;
    put(&format!("</main>\n{}</body>\n</html>\n", footer(figures)))
}

fn range(first: Option<Day>, last: Option<Day>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "none".to_owned(),
    }
}

fn introduction(figures: &Figures<'_>) -> String {
    let batches = &figures.store.batches;
    let held = range(batches.first().map(|one| one.dt), batches.last().map(|one| one.dt));
    let produced = figures.partitions.map(|all| {
        let days = range(all.first().map(|one| one.dt), all.last().map(|one| one.dt));
        format!("; training rows: {days}")
    });
    format!("Batches: {held}{}. Days are those of {}.", produced.unwrap_or_default(), figures.store.time_zone)
}

fn tiles(figures: &Figures<'_>) -> String {
    let store = figures.store;
    let lengths = &store.histories;
    let (actions, late) = (store.sum(|one| one.actions), store.sum(|one| one.late));
    let of = |part: u64, whole: u64| ratio(part, whole).map(percent).unwrap_or_else(|| "none".to_owned());
    let counts = |name, number: u64, label, remark: String| Tile {
        name,
        value: number.to_string(),
        label,
        text: count(number),
        remark,
    };
    let mut tiles = vec![
        counts(
            "batches",
            store.batches.len() as u64,
            "batches",
            match store.gaps.len() {
                0 => "no day missing".to_owned(),
                1 => "1 day missing".to_owned(),
                more => format!("{} days missing", count(more as u64)),
            },
        ),
        counts("actions", actions, "actions", format!("{} late", of(late, actions))),
        counts(
            "customers",
            lengths.customers(),
            "customers",
            lengths.median().map_or_else(String::new, |median| format!("median history {}", count(median as u64))),
        ),
        counts(
            "customers_at_cap",
            lengths.at_cap(),
            "at the cap",
            format!("{} of all customers", of(lengths.at_cap(), lengths.customers())),
        ),
        Tile {
            name: "bytes",
            value: store.bytes.to_string(),
            label: "store",
            text: size(store.bytes),
            remark: if actions == 0 {
                String::new()
            } else {
                format!("{:.1} bytes an action", store.bytes as f64 / actions as f64)
            },
        },
    ];
    if let Some(partitions) = figures.partitions {
        let sum = |figure: fn(&super::PartitionFigures) -> u64| partitions.iter().map(figure).sum::<u64>();
        let (rows, ordered) = (sum(|one| one.rows), sum(|one| one.ordered));
        let padding = sum(|one| one.places) - sum(|one| one.filled);
        tiles.extend([
            counts("partitions", partitions.len() as u64, "days produced", size(sum(|one| one.bytes))),
            counts("rows", rows, "training rows", format!("{} ordered", of(ordered, rows))),
            Tile {
                name: "padding_share",
                value: ratio(padding, sum(|one| one.places)).map(|ratio| format!("{ratio:.6}")).unwrap_or_default(),
                label: "padding",
                text: of(padding, sum(|one| one.places)),
                remark: format!("{} of the rows without history", of(sum(|one| one.rows_without_history), rows)),
            },
        ]);
    }
    let html = tiles.iter().map(|Tile { name, value, label, text, remark }| {
        format!(
            "<li><span class=\"label\">{label}</span> <strong data-figure=\"{name}\" data-value=\"{value}\">{}</strong> <span class=\"remark\">{}</span></li>\n",
            escape(text),
            escape(remark)
        )
    });
    format!("<ul class=\"tiles\" aria-label=\"Summary\">\n{}</ul>\n", html.collect::<String>())
}

/// Describes what deserves attention.
fn standing_out(figures: &Figures<'_>) -> String {
    let store = figures.store;
    let mut lines: Vec<String> = Vec::new();
    let mut say = |line: String| lines.push(format!("<li>{}</li>\n", escape(&line)));
    if !store.gaps.is_empty() {
        let days = counted(store.gaps.len() as u64, "day");
        say(format!("Missing batches ({days}): {}.", name_days(&store.gaps)));
    }
    let strays = figures.strays();
    if !strays.is_empty() {
        say(format!("Far from the other days, and left out of the plots: {}.", name_days(&strays)));
    }
    let partitions = figures.partitions.unwrap_or_default();
    if let (Some(first), Some(last)) = (partitions.first(), partitions.last()) {
        let is_there = |day: &Day| partitions.binary_search_by_key(day, |one| one.dt).is_ok();
        let missing: Vec<Day> = first.dt.through(last.dt).filter(|day| !is_there(day)).collect();
        if !missing.is_empty() {
            let days = counted(missing.len() as u64, "day");
            say(format!("Days without rows between days that have some ({days}): {}.", name_days(&missing)));
        }
        let empty: Vec<Day> = partitions.iter().filter(|one| one.rows == 0).map(|one| one.dt).collect();
        if !empty.is_empty() {
            say(format!("Days with a partition without rows: {}.", name_days(&empty)));
        }
    }
    let quarantined: Vec<Day> = store.batches.iter().filter(|one| one.quarantined > 0).map(|one| one.dt).collect();
    if !quarantined.is_empty() {
        let rows = counted(store.sum(|one| one.quarantined), "row");
        say(format!("Set aside in the quarantine: {rows}, of the batches {}.", name_days(&quarantined)));
    }
    if let Some(horizon) = store.horizon {
        say(format!("The store has been pruned: it keeps {horizon} and later."));
    }
    if store.forgotten > 0 {
        say(format!(
            "{} been forgotten.",
            if store.forgotten == 1 {
                "1 customer has".to_owned()
            } else {
                format!("{} customers have", count(store.forgotten as u64))
            }
        ));
    }
    let anomalies = figures.notable.all();
    for (figure, anomaly) in anomalies.iter().take(LISTED_MAX) {
        let description = escape(&figure.description(anomaly));
        lines.push(format!(
            "<li data-mark=\"{}\" data-dt=\"{}\"><span class=\"flag\" aria-hidden=\"true\">▲</span> <strong>{}</strong>: {description}.</li>\n",
            figure.name(),
            anomaly.day,
            anomaly.day
        ));
    }
    if anomalies.len() > LISTED_MAX {
        lines.push(format!(
            "<li>… and {} more marks in the plots and tables.</li>\n",
            count((anomalies.len() - LISTED_MAX) as u64)
        ));
    }
    let body = if lines.is_empty() {
        "<p>Nothing: no day is missing, and no figure deviates strongly from the seven days before.</p>\n".to_owned()
    } else {
        format!("<ul>\n{}</ul>\n", lines.concat())
    };
    format!(
        "<section class=\"card\" id=\"notable\" aria-labelledby=\"notable-title\">\n<h2 id=\"notable-title\">What stands out</h2>\n{body}</section>\n"
    )
}

fn footer(figures: &Figures<'_>) -> String {
    let from_files = figures.partitions.unwrap_or_default().iter().filter(|one| one.read_from == ReadFrom::PartFiles);
    let days: Vec<Day> = from_files.map(|one| one.dt).collect();
    let read = if days.is_empty() {
        String::new()
    } else {
        format!("<p>Read from part files, since the manifest lacks these figures: {}.</p>\n", escape(&name_days(&days)))
    };
    format!(
        "<footer>\n<h2>How days are marked</h2>\n<p>{}</p>\n{read}<p>Made by lookback {} from a store of format {FORMAT_VERSION}.</p>\n</footer>\n",
        escape(RULE),
        env!("CARGO_PKG_VERSION")
    )
}
