//! Example commands for help and man pages, and the groups of commands. A test parses each example.

/// The commands by purpose, as in docs/commands.md.
pub(super) const GROUPS: [(&str, &[&str]); 5] = [
    ("Fill a store", &["init", "ingest", "backfill"]),
    ("Produce and check rows", &["produce", "vocabulary", "stale", "audit", "diff", "manifest"]),
    ("Inspect", &["status", "report", "show", "explain", "get", "config"]),
    (
        "Maintain",
        &["forget", "prune", "remove", "backup", "restore", "verify", "repair", "migrate", "completions", "man"],
    ),
    ("Work on many shards", &["shards"]),
];

/// The examples of each command, by its path: `config check` is below `config`.
const EXAMPLES: [(&str, &[&str]); 43] = [
    (
        "",
        &[
            "lookback backfill --store store --input input --from 2026-01-01 --to 2026-01-06",
            "lookback ingest --store store --input input --dt 2026-01-07",
            "lookback produce --store store --input input --dt 2026-01-08 --out out",
        ],
    ),
    ("init", &["lookback init --store store --max-history 200 --timezone Europe/Berlin"]),
    (
        "ingest",
        &[
            "lookback ingest --store store --input input --dt 2026-01-07",
            "lookback ingest --store store --input input --dt 2026-01-07 --quarantine bad",
        ],
    ),
    (
        "backfill",
        &[
            "lookback backfill --store store --input input --from 2026-01-01 --to 2026-01-31 --dry-run",
            "lookback backfill --store store --input input --from 2026-01-01 --to 2026-01-31 --out out --as-daily",
        ],
    ),
    (
        "produce",
        &[
            "lookback produce --store store --input input --dt 2026-01-08 --out out",
            "lookback produce --store store --input input --dt 2026-01-08 --out out --lookback-days 90 --order shuffled",
        ],
    ),
    (
        "vocabulary",
        &[
            "lookback vocabulary --input input --from 2026-01-01 --to 2026-01-08 --of items --out items.parquet",
            "lookback vocabulary --input input --from 2026-01-01 --to 2026-01-08 --of items --min-count 5 --out items.parquet",
        ],
    ),
    ("stale", &["lookback stale --store store --out out --as-daily --exit-code"]),
    ("audit", &["lookback audit --store store --input input --out out --dt 2026-01-08 --sample 1000"]),
    ("diff", &["lookback diff out other --dt 2026-01-08"]),
    ("manifest", &["lookback manifest --out out --dt 2026-01-08 --check"]),
    ("status", &["lookback status --store store"]),
    ("report", &["lookback report --store store --out out --html report.html"]),
    ("show", &["lookback show --store store --customer 21193184998 --dt 2026-01-07 --limit 4"]),
    ("explain", &["lookback explain --store store --dt 2026-01-07 --customer 21193184998 --item 334995800"]),
    ("get", &["lookback get --store store --dt 2026-01-07 --customers ids.txt --out histories.parquet"]),
    ("config", &["lookback config check --input input"]),
    ("config check", &["lookback config check --input input --dt 2026-01-07 --store store"]),
    (
        "forget",
        &[
            "lookback forget --store store --customer 21193184998 --out out --dry-run",
            "lookback forget --store store --customers gone.txt --out out --scrub",
        ],
    ),
    (
        "prune",
        &["lookback prune --store store --keep-days 365 --dry-run", "lookback prune --store store --keep-days 365"],
    ),
    ("remove", &["lookback remove --store store --dt 2062-01-07"]),
    ("backup", &["lookback backup --store store --to backups --keep 7"]),
    ("restore", &["lookback restore --from backups --store restored"]),
    ("verify", &["lookback verify --store store --deep"]),
    ("repair", &["lookback repair --store store --dry-run"]),
    ("migrate", &["lookback migrate --store store --dry-run"]),
    (
        "shards",
        &[
            "lookback shards init --store s3://bucket/store --shards 64",
            "lookback shards ingest --store s3://bucket/store --input input --dt 2026-01-07",
            "lookback shards produce --store s3://bucket/store --input input --dt 2026-01-08 --out out",
        ],
    ),
    ("shards init", &["lookback shards init --store s3://bucket/store --shards 64"]),
    ("shards status", &["lookback shards status --store s3://bucket/store --number 7"]),
    (
        "shards ingest",
        &["lookback shards ingest --store s3://bucket/store --input input --dt 2026-01-07 --batch-id snapshot-8412"],
    ),
    (
        "shards produce",
        &["lookback shards produce --store s3://bucket/store --input input --dt 2026-01-08 --out out --cache cache"],
    ),
    (
        "shards backfill",
        &[
            "lookback shards backfill --store s3://bucket/store --input input --from 2026-01-01 --to 2026-01-07 --out out",
        ],
    ),
    ("shards remove", &["lookback shards remove --store s3://bucket/store --dt 2062-01-07"]),
    ("shards forget", &["lookback shards forget --store s3://bucket/store --customer 21193184998 --out out --scrub"]),
    (
        "shards audit",
        &["lookback shards audit --store s3://bucket/store --input input --out out --dt 2026-01-07 --sample 200"],
    ),
    ("shards stale", &["lookback shards stale --store s3://bucket/store --out out --exit-code"]),
    ("shards verify", &["lookback shards verify --store s3://bucket/store --deep"]),
    ("shards checkout", &["lookback shards checkout --store s3://bucket/store --shard 5 --to fifth"]),
    ("shards migrate", &["lookback shards migrate --store s3://bucket/store"]),
    ("shards split", &["lookback shards split --store s3://bucket/store"]),
    ("shards import", &["lookback shards import --store s3://bucket/store --from store --shards 64"]),
    ("shards export", &["lookback shards export --store s3://bucket/store --to store"]),
    ("shards gc", &["lookback shards gc --store s3://bucket/store --keep 14 --grace 7d"]),
    ("completions", &["lookback completions bash > ~/.local/share/bash-completion/completions/lookback"]),
];

/// Returns the examples of a command; empty if its help is enough.
pub(super) fn examples_of(path: &str) -> &'static [&'static str] {
    EXAMPLES.iter().find(|(of, _)| *of == path).map(|(_, examples)| *examples).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::command;

    #[test]
    fn every_example_is_understood_and_stands_with_its_command() {
        for (path, examples) in EXAMPLES {
            assert!(!examples.is_empty(), "{path}");
            for example in examples {
                let typed = example.split(" > ").next().unwrap();
                command().try_get_matches_from(typed.split(' ')).unwrap_or_else(|error| panic!("{example}\n{error}"));
                assert!(
                    ["config", "shards"].contains(&path) || typed.starts_with(format!("lookback {path}").trim_end()),
                    "{example}"
                );
            }
        }
    }

    #[test]
    fn every_command_is_in_a_group_and_has_an_example() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        grouped.sort_unstable();
        let root = command();
        let mut commands: Vec<&str> = root.get_subcommands().map(clap::Command::get_name).collect();
        commands.sort_unstable();
        assert_eq!(grouped, commands);
        for name in grouped.into_iter().filter(|name| *name != "man") {
            assert!(!examples_of(name).is_empty(), "{name}");
        }
    }
}
