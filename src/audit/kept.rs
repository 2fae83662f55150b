//! Files of actions at a URL that stay fetched from one pass over the raw files to the next.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::input::DayFile;
use crate::model::Day;
use crate::resources::Resources;
use crate::sources::ActionSource;
use crate::storage::Place;

/// One part in so many of the free space for scratch files is for fetched files: sorting and others need space too.
const RATIO: u64 = 2;

/// The files of a batch, source after source.
pub(super) type BatchFiles<'a> = Vec<(&'a ActionSource, DayFile)>;

/// The fetched files of the first batches, as many as there is space for. Files on a disk are not kept.
///
/// Memory: about 200 bytes for each file. Scratch: half of the free space.
pub(super) struct KeptFiles<'a> {
    /// Bytes of scratch files that are left; `None` if the input is a folder.
    left_bytes: Option<u64>,
    batches: BTreeMap<Day, BatchFiles<'a>>,
}

impl<'a> KeptFiles<'a> {
    /// Keeps nothing yet.
    pub(super) fn of(input: &Place, resources: &Resources) -> Self {
        let left_bytes = input.objects().map(|_| resources.free_scratch_bytes() / RATIO);
        KeptFiles { left_bytes, batches: BTreeMap::new() }
    }

    /// Keeps the files of a batch, if there is space for all of them.
    pub(super) fn keep(&mut self, day: Day, files: BatchFiles<'a>) -> Result<()> {
        let Some(left_bytes) = &mut self.left_bytes else { return Ok(()) };
        let bytes = files.iter().map(|(_, file)| file.size()).sum::<Result<u64>>()?;
        if let Some(left) = left_bytes.checked_sub(bytes) {
            *left_bytes = left;
            self.batches.insert(day, files);
        }
        Ok(())
    }

    /// Returns the files of a batch, if they were kept.
    pub(super) fn batch(&self, day: Day) -> Option<&BatchFiles<'a>> {
        self.batches.get(&day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Sources;

    #[test]
    fn batches_are_kept_as_long_as_there_is_space() {
        let folder = tempfile::tempdir().unwrap();
        let (sources, path) = (Sources::default(), folder.path().join("a.csv"));
        std::fs::write(&path, [b'x'; 40]).unwrap();
        let source = sources.actions.first().unwrap();
        let files = |count: usize| -> BatchFiles<'_> { vec![(source, DayFile::new("a.csv", &path)); count] };
        let day = |number: i32| Day::from_number(20_000 + number).unwrap();
        let mut kept = KeptFiles { left_bytes: Some(100), batches: BTreeMap::new() };
        for (number, count) in [(1, 1), (2, 2), (3, 0), (4, 1), (5, 1)] {
            kept.keep(day(number), files(count)).unwrap();
        }
        let there = |number| kept.batch(day(number)).map(Vec::len);
        assert_eq!([1, 2, 3, 4, 5].map(there), [Some(1), None, Some(0), Some(1), None]);

        let mut on_disk = KeptFiles::of(&Place::on_disk(folder.path()), &Resources::default());
        on_disk.keep(day(1), files(1)).unwrap();
        assert!(on_disk.batch(day(1)).is_none());
    }
}
