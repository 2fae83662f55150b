//! `lookback vocabulary`.

use std::path::Path;

use super::args::Vocabulary;
use super::config;
use super::console::Console;
use super::text::{counted, empty_lists, exceptions, of_number, same_content, size};
use lookback::error::Result;
use lookback::model::{IdKind, name_days};
use lookback::text::Shown;
use lookback::vocabulary::{VocabularyOptions, VocabularySummary, vocabulary};

pub(super) fn run(typed: &Vocabulary, console: &Console) -> Result<()> {
    let options = VocabularyOptions::new(&typed.input, typed.from, typed.to, typed.of)
        .sources(config::sources_of(&typed.input, &typed.config, console)?)
        .min_count(typed.min_count.get().into())
        .quarantine(typed.quarantine.clone())
        .resources(console.resources().clone());
    let summary = vocabulary(&options, &typed.out, console.progress())?;
    let sentence = sentence(&summary, &typed.out);
    console.done_at(&summary, &sentence, &[(summary.actions + summary.impressions, "rows")])
}

fn sentence(summary: &VocabularySummary, out: &Path) -> String {
    let VocabularySummary { of, min_count, days_without_files, .. } = summary;
    let id = match of {
        IdKind::Items => "item",
        IdKind::Customers => "customer",
    };
    let days = days_without_files.len() as u64;
    let of_days = of_number(days, "day", "days");
    let rows = of_number(summary.quarantined, "row", "rows");
    let empty = of_number(summary.empty_impressions, "impression", "impressions");
    format!(
        "wrote {}: {} with {} and {} from {} of {}",
        out.shown(),
        counted(summary.ids, id),
        counted(summary.actions, "action"),
        counted(summary.impressions, "impression"),
        counted(summary.files, "file"),
        size(summary.bytes),
    ) + &exceptions(&[
        (summary.rare, &format!("left out (fewer than {min_count} actions and impressions)")),
        (days, &format!("{of_days} without any file ({})", name_days(days_without_files))),
        (summary.ignored, "ignored (listed in `ignore` of their source)"),
        (summary.without_customer, "left out (without a customer)"),
        (summary.deduplicated, "left out (with the event id of an earlier row)"),
        (summary.empty_lists, empty_lists(summary.empty_lists)),
        (summary.empty_impressions, &format!("{empty} with an empty list")),
        (summary.quarantined, &format!("{rows} set aside in the quarantine")),
        (summary.same_content, same_content(summary.same_content)),
    ])
}
