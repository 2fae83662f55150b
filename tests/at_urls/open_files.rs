//! Many small files of a day at a URL, under a low limit on open files.

use std::process::Command;
use std::time::Duration;

use super::AtUrl;
use crate::support::output::{dump, tree};
use crate::support::places::{Endpoint, Proxy};
use crate::support::program::{Bench, Ran, write_file};

/// Files of clicks, and as many of impressions.
const FILES: u64 = 600;

/// Runs the program under these limits on open files: soft, hard.
fn limited(bench: &Bench, to: &dyn Endpoint, (soft, hard): (u64, u64), arguments: &str) -> Ran {
    let program = bench.command();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\"")]);
    command.arg(program.get_program()).current_dir(bench.path("")).envs(to.environment());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(arguments.replace('@', to.url("").trim_end_matches('/')).split_whitespace());
    Ran::of(command.output().unwrap())
}

/// A day of many files of different sizes.
fn with_many_files() -> AtUrl {
    let at_url = AtUrl::new();
    for file in 0..FILES {
        let mut clicks = String::from("customer_id,item_id,click_time\n");
        let mut shown = String::new();
        for row in 0..=file % 7 {
            let (customer, item) = (file % 50, 1 + 10 * file + row);
            clicks += &format!("{customer},{item},2026-01-05T10:{:02}:{:02}Z\n", file / 60, file % 60);
            shown += &format!(
                r#"{{"ranking_id": "r{file}-{row}", "customer_id": {customer}, "impressions": [{{"item_id": {item}}}]}}"#
            );
            shown.push('\n');
        }
        let input = at_url.bench.input();
        write_file(&input.join(format!("clicks/dt=2026-01-05/{file:04}.csv")), clicks.as_bytes());
        write_file(&input.join(format!("impressions/dt=2026-01-06/{file:04}.jsonl")), shown.as_bytes());
    }
    at_url.deliver();
    at_url
}

#[test]
fn a_day_of_many_files_needs_no_open_file_for_each() {
    let at_url = with_many_files();
    let bench = &at_url.bench;
    let low = (128, 128);
    let proxy = Proxy::to(&at_url.server);
    let ran = limited(bench, &proxy, low, "ingest --create --store url --input @/in --dt 2026-01-05");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let files = proxy.requests().iter().filter(|seen| seen.key.contains("dt=2026-01-05/0")).count();
    assert_eq!(files as u64, FILES, "each file is fetched once");
    bench.ok("ingest --create --store local --input input --dt 2026-01-05");
    assert!(dump(&bench.path("url")) == dump(&bench.path("local")));
    let produce = "--dt 2026-01-06 --max-history 20";
    let ran = limited(bench, &at_url.server, low, &format!("produce --store url --input @/in {produce} --out rows"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    bench.ok(&format!("produce --store local --input input {produce} --out same"));
    assert!(tree(&bench.path("rows")) == tree(&bench.path("same")));
    let ran = limited(bench, &at_url.server, low, "audit --store url --input @/in --dt 2026-01-06 --out rows");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// The program asks for as many open files as it may have.
#[test]
fn the_soft_limit_on_open_files_does_not_matter() {
    let at_url = AtUrl::new();
    let ingest = "ingest --store store --input @/in --dt 2026-01-04";
    let ran = limited(&at_url.bench, &at_url.server, (12, 12), ingest);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.said().contains("Too many open files"), "{}", ran.stderr);
    let ran = limited(&at_url.bench, &at_url.server, (12, 1_024), ingest);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// What becomes a file of a store is fetched into that very file, also where few files may be open.
#[test]
fn a_restore_makes_each_file_of_its_own_object() {
    let at_url = AtUrl::new();
    let bench = &at_url.bench;
    for day in 4..=6 {
        super::batch(bench, day, 0);
        bench.ingest(&format!("2026-01-0{day}"));
    }
    at_url.ok("backup --store store --to @/backups");
    // An eighth of the limit would do for fewer objects than there are.
    let low = (56, 56);
    assert!(at_url.server.objects().keys().filter(|key| key.starts_with("backups/files/")).count() > 7);
    let ran = limited(bench, &at_url.server, low, "restore --from @/backups --store restored");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    bench.ok("verify --deep --store restored");
    assert!(dump(&bench.path("restored")) == dump(&bench.store()));
}

/// As many requests are under way as the option allows, and the result is the same.
#[test]
fn requests_are_made_as_many_at_once_as_the_option_says() {
    let at_url = with_many_files();
    at_url.bench.ok("ingest --create --store local --input input --dt 2026-01-05");
    let mut most = Vec::new();
    for at_once in [1, 3] {
        let proxy = Proxy::to(&at_url.server);
        proxy.delay(Duration::from_millis(5));
        let store = format!("url-{at_once}");
        let ingest = format!("ingest --create --store {store} --input @/in --dt 2026-01-05");
        at_url.ok_at(&proxy, &format!("{ingest} --requests-at-once {at_once}"));
        assert!(dump(&at_url.bench.path(&store)) == dump(&at_url.bench.path("local")));
        most.push(proxy.most_at_once());
    }
    assert_eq!(most[0], 1);
    assert!((2..=3).contains(&most[1]), "{most:?}");
}
