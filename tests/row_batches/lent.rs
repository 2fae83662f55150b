//! Batches in memory that is lent are the batches in memory of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lookback::error::Kind;
use lookback::model::{ItemType, RowColumns, RowOrder, TypeType};
use lookback::output::{Layout, LendCells, LentCells, RowBatch};
use lookback::resources::{Cancel, Resources};

use super::{Asked, all_columns, small};
use crate::support::nights::{Nights, nights};
use crate::support::random::seed;

/// Lends memory that is full of something else, and counts what is lent.
#[derive(Default)]
pub(super) struct Lender {
    /// Columns that are lent, and all that were.
    lent: Arc<AtomicUsize>,
    all: AtomicUsize,
    /// The bytes that are lent, and the most that were at once.
    bytes: Arc<AtomicUsize>,
    pub(super) bytes_max: AtomicUsize,
}

struct Lent<T> {
    cells: Vec<T>,
    lent: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
}

impl Lender {
    fn lend<T: Clone>(&self, cells: usize, content: T) -> Box<Lent<T>> {
        self.lent.fetch_add(1, Ordering::SeqCst);
        self.all.fetch_add(1, Ordering::SeqCst);
        let cells = vec![content; cells];
        let before = self.bytes.fetch_add(size_of_val(&*cells), Ordering::SeqCst);
        self.bytes_max.fetch_max(before + size_of_val(&*cells), Ordering::SeqCst);
        Box::new(Lent { cells, lent: Arc::clone(&self.lent), bytes: Arc::clone(&self.bytes) })
    }
}

impl LendCells for Lender {
    fn int64(&self, cells: usize) -> Option<Box<dyn LentCells<i64>>> {
        Some(self.lend(cells, -7))
    }

    // Of some columns it has none.
    fn int32(&self, cells: usize) -> Option<Box<dyn LentCells<i32>>> {
        if cells.is_multiple_of(2) { Some(self.lend(cells, -7)) } else { None }
    }

    fn uint8(&self, cells: usize) -> Option<Box<dyn LentCells<u8>>> {
        Some(self.lend(cells, 77))
    }
}

impl<T: Send + Sync> LentCells<T> for Lent<T> {
    fn cells(&self) -> &[T] {
        &self.cells
    }

    fn cells_mut(&mut self) -> &mut [T] {
        &mut self.cells
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        self.lent.fetch_sub(1, Ordering::SeqCst);
        self.bytes.fetch_sub(size_of_val(&*self.cells), Ordering::SeqCst);
    }
}

#[test]
fn lent_memory_holds_the_same_batches() {
    let seed = seed(431);
    let Nights { bench, .. } = &nights(seed);
    let narrow = RowColumns { item_type: ItemType::Int32, type_type: TypeType::Uint8, ..all_columns() };
    // With one thread each batch is made when it is asked for.
    for (columns, threads) in [(all_columns(), 2), (narrow, 1)] {
        let resources = Resources::default().with_threads(threads);
        let asked = Asked { order: RowOrder::Shuffled(3), columns, resources, ..Asked::default() };
        let epoch = asked.prepare(bench).epoch(0).unwrap();
        for layout in Layout::ALL {
            let plain: Vec<RowBatch> = epoch.batches(&small(layout)).unwrap().map(|batch| batch.unwrap()).collect();
            let lender = Arc::new(Lender::default());
            let mut batches = epoch.batches_in(Arc::<Lender>::clone(&lender), &small(layout)).unwrap();
            let used = batches.used();
            for expected in &plain {
                let batch = batches.next().unwrap().unwrap();
                assert!(batch == *expected, "seed {seed}, {layout:?}");
                assert!(lender.lent.load(Ordering::SeqCst) > 0);
                // Neither a copy nor Arrow data keep what was lent.
                let copy = batch.clone().to_padded().unwrap();
                assert!(copy == expected.to_padded().unwrap());
                assert_eq!(batch.clone().into_arrow().unwrap(), expected.clone().into_arrow().unwrap());
                used.give(batch);
            }
            assert!(batches.next().is_none());
            drop(batches);
            let (lent, all) = (lender.lent.load(Ordering::SeqCst), lender.all.load(Ordering::SeqCst));
            assert!(lent == 0 && all >= plain.len(), "seed {seed}, {layout:?}: {lent} of {all} are still lent");
        }
    }
}

#[test]
fn with_one_thread_no_batch_is_made_ahead_and_a_stop_ends_it() {
    let Nights { bench, .. } = &nights(seed(432));
    let cancel = Cancel::default();
    let resources = Resources::default().with_threads(1).with_cancel(cancel.clone());
    let epoch = Asked { resources, ..Asked::default() }.prepare(bench).epoch(0).unwrap();
    let lender = Arc::new(Lender::default());
    let mut batches = epoch.batches_in(Arc::<Lender>::clone(&lender), &small(Layout::Padded)).unwrap();
    assert_eq!(lender.all.load(Ordering::SeqCst), 0, "none was asked for");
    batches.next().unwrap().unwrap();
    let of_one = lender.all.load(Ordering::SeqCst);
    batches.next().unwrap().unwrap();
    assert_eq!(lender.all.load(Ordering::SeqCst), 2 * of_one);
    cancel.cancel();
    assert_eq!(batches.next().unwrap().unwrap_err().kind(), Kind::Cancelled);
    assert!(batches.next().is_none(), "nothing follows an error");
}
