//! A day that is made again of its parts, as another process makes it, is the same day.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use lookback::error::Kind;
use lookback::model::RowOrder;
use lookback::output::Layout;
use lookback::resources::{Resources, Spool, SpoolContent};
use lookback::training::{BatchOptions, DayParts, TrainingDay};

use super::{Asked, small};
use crate::support::nights::{Nights, nights};
use crate::support::random::seed;

/// Returns what another process has of a part: a copy of the bytes, or the file, opened anew.
fn passed(part: &SpoolContent<'_>) -> Spool {
    match part {
        SpoolContent::Memory(bytes) => Spool::of_memory(Arc::new(bytes.to_vec())),
        SpoolContent::File(file) => {
            let again = File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
            let length = again.metadata().unwrap().len();
            Spool::of_file("a scratch file".into(), again, length)
        }
    }
}

#[test]
fn a_day_of_parts_has_the_batches_of_the_day() {
    let seed = seed(441);
    let Nights { bench, .. } = &nights(seed);
    let resources = Resources::default().with_threads(2).with_scratch_folder(&bench.path("scratch"));
    for (in_memory, resources) in [(true, resources.clone()), (false, resources.with_sort_bytes(500))] {
        for order in [RowOrder::Shuffled(3), RowOrder::Carousel(5), RowOrder::Customer] {
            let most = (order == RowOrder::Carousel(5)).then_some(4);
            let day = Asked { order, resources: resources.clone(), max_rows_per_customer: most, ..Asked::default() }
                .prepare(bench);
            let DayParts { about, histories, impressions } = day.parts().unwrap();
            for part in [&histories, &impressions] {
                assert_eq!(matches!(part, SpoolContent::Memory(_)), in_memory);
            }
            let again =
                TrainingDay::of_parts(&about, passed(&histories), passed(&impressions), Resources::default()).unwrap();
            assert_eq!((again.rows(), again.fingerprint()), (day.rows(), day.fingerprint()));
            let summaries = [&day, &again].map(|day| serde_json::to_value(day.summary()).unwrap());
            assert_eq!(summaries[0], summaries[1]);
            for (epoch, layout) in [(0, Layout::Padded), (1, Layout::Jagged), (2, Layout::Dedup)] {
                let options: BatchOptions = small(layout).ranking_ids(true).batch_actions_max(Some(90));
                let batches = [&day, &again].map(|day| {
                    let batches = day.epoch(epoch).unwrap().batches(&options).unwrap();
                    batches.map(|batch| batch.unwrap()).collect::<Vec<_>>()
                });
                assert!(batches[0].len() > 3 && batches[0] == batches[1], "seed {seed}, {order:?}, {layout:?}");
            }
        }
    }
    let spools = || [Spool::of_memory(Arc::new(Vec::new())), Spool::of_memory(Arc::new(Vec::new()))];
    let [histories, impressions] = spools();
    let error = TrainingDay::of_parts(b"{}", histories, impressions, Resources::default()).err().unwrap();
    assert_eq!(error.kind(), Kind::Internal);
}
