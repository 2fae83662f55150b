//! Ingests a batch, from its options to its summary.

use std::collections::BTreeSet;

use super::admission::{Admission, LeftOut};
use super::dated_action::DatedAction;
use super::far::FarActions;
use super::load::{NewSettings, load};
use super::options::IngestOptions;
use super::outlines::Outlines;
use super::read::{Read, read_batch};
use super::summary::IngestSummary;
use super::types::joined_types;
use super::work_units::WorkUnits;
use crate::error::{Error, Kind, Result};
use crate::format::BatchRecord;
use crate::input::{Input, SameContents, SourceFile, batch_files, note_same_content};
use crate::message::message;
use crate::model::{Day, Duplicates, Ids, TypeTable, Zone};
use crate::progress::Progress;
use crate::resources::Scratch;
use crate::sort::{Buckets, SharedSorter, Sorter};
use crate::sources::Sources;
use crate::storage::refuse_overlaps;
use crate::store::{Folder, NewStore, OfferedRules, Settings, Store, other_ids};
use crate::text::Shown;

/// Ingests batches into one store and removes them. Holds the store's write lock.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// use lookback::ingest::{IngestOptions, Ingester};
/// use lookback::progress::Silent;
/// use lookback::store::Folder;
///
/// let options = IngestOptions::new(at("input"), "2026-01-01".parse::<lookback::model::Day>()?);
/// let mut ingester = Ingester::open_or_create(&Folder::new(&at("store")), &Silent)?;
/// assert_eq!(ingester.ingest(&options, &Silent)?.actions, 2);
/// ingester.finish_compaction(&Silent)?;
/// # Ok(())
/// # }
/// ```
pub struct Ingester {
    folder: Folder,
    /// `None`: the store does not exist yet, or this ingester has created it and not opened it since.
    store: Option<Store>,
    /// The outlines of the batches that the store holds.
    pub(super) outlines: Outlines,
    has_created: bool,
    /// The store's current table of types; `None` while none is binding.
    types: Option<TypeTable>,
    /// What the ids of the store are; `None` while a batch may bring any.
    ids: Option<Ids>,
    /// Newer rules of the store's time zone that would move days it holds.
    newer_rules: Option<OfferedRules>,
}

impl Ingester {
    /// Opens a store for writing, and adopts newer rules of its time zone if they move none of its days (see
    /// [`Store::adopt_rules`]). Fails while another process writes, and if there is no store: a mistyped path or an
    /// unmounted disk must not create another one.
    pub fn open(folder: &Folder, progress: &dyn Progress) -> Result<Self> {
        let (store, newer_rules) = Store::open_writer(folder)?.adopt_rules(progress)?;
        Self::with(folder, Some(store), newer_rules)
    }

    /// Does the same as [`Self::open`], but if there is no store, the first batch creates one.
    pub fn open_or_create(folder: &Folder, progress: &dyn Progress) -> Result<Self> {
        if folder.holds_store()? { Self::open(folder, progress) } else { Self::with(folder, None, None) }
    }

    fn with(folder: &Folder, store: Option<Store>, newer_rules: Option<OfferedRules>) -> Result<Self> {
        let types = store.as_ref().map(Store::binding_types).transpose()?.flatten();
        let ids = store.as_ref().map(Store::binding_ids).transpose()?.flatten();
        let batches = store.as_ref().map(Store::readable_batches).transpose()?.unwrap_or_default();
        let outlines = Outlines::of(&batches);
        Ok(Ingester { folder: folder.clone(), store, outlines, has_created: false, types, ids, newer_rules })
    }

    /// Fails if newer time zone rules that the store has not adopted yet would move the day `dt`.
    pub(crate) fn check_day(&self, dt: Day) -> Result<()> {
        self.store.as_ref().map_or(Ok(()), |store| store.refuse_other_day(self.newer_rules.as_ref(), dt))
    }

    /// Returns the rules by which the store admits actions now, and its scratch files.
    pub(super) fn admission(&self) -> Result<(Admission, Scratch)> {
        let admission = self.store.as_ref().map(Admission::of).transpose()?.unwrap_or_default();
        Ok((admission, Scratch::new(self.folder.scratch())))
    }

    /// Returns the store, opened again if this ingester created it.
    pub(super) fn opened(&mut self) -> Result<&Store> {
        match &mut self.store {
            Some(store) => Ok(store),
            closed => Ok(closed.insert(Store::open_writer(&self.folder)?)),
        }
    }

    /// Ingests one batch, replacing its earlier version. After an error the store is unchanged, or still does not
    /// exist.
    ///
    /// Memory: that for sorting, that of the open store and of a load, and eight work units of some 4,096 actions or
    /// customers per thread.
    pub fn ingest(&mut self, options: &IngestOptions, progress: &dyn Progress) -> Result<IngestSummary> {
        self.check_day(options.dt)?;
        let batch = self.reader()?.read(options, progress)?;
        self.load(batch, progress)
    }

    /// Returns a reader of batches for this store. It is separate so that one batch can be read while another is
    /// loaded.
    pub fn reader(&self) -> Result<BatchReader> {
        let zone = self.store.as_ref().map_or_else(Zone::utc, |store| store.settings().zone.clone());
        let (admission, _) = self.admission()?;
        let outlines = self.outlines.clone();
        let (types, ids) = (self.types.clone(), self.ids);
        Ok(BatchReader { folder: self.folder.clone(), zone, admission, types, ids, outlines })
    }

    /// Loads a batch that was read into the store, which is created if it does not exist.
    pub fn load(&mut self, batch: ReadBatch, progress: &dyn Progress) -> Result<IngestSummary> {
        if self.has_created && self.store.is_none() {
            self.store = Some(Store::open_writer(&self.folder)?);
        }
        let types = joined_types(self.types.as_ref(), &batch.sources)?;
        let ids = batch.sources.ids();
        refuse_other_ids(&self.folder, self.ids, ids)?;
        note_same_content(&batch.same, progress);
        if let Some(store) = &self.store {
            let before = self.types.as_ref().unwrap_or(&store.settings().types);
            let new =
                NewSettings { types: (*before != types).then_some(&types), ids: self.ids.is_none().then_some(ids) };
            let summary = commit(store, batch, &types, new, &mut self.outlines, progress)?;
            (self.types, self.ids) = (Some(types), Some(ids));
            return Ok(summary);
        }
        // A new store appears with its first batch or not at all.
        let settings = Settings { types: types.clone(), ids, ..Settings::default() };
        let new = NewStore::begin_where_none_was(&self.folder, settings)?;
        let summary = commit(new.store(), batch, &types, NewSettings::default(), &mut self.outlines, progress)?;
        new.put_in_place()?;
        self.has_created = true;
        (self.types, self.ids) = (Some(types), Some(ids));
        Ok(IngestSummary { created: true, ..summary })
    }

    /// Finishes the compaction that the ingested batches made due, and the purge of an interrupted removal, so that
    /// reads stay fast. Call it after the last batch; until then, compaction continues during the next ingest. Fails
    /// only after a request to stop; then the remaining work waits for the next call.
    pub fn finish_compaction(&self, progress: &dyn Progress) -> Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        progress.begin("compacting", "", None);
        let settled = store.needs_purge().and_then(|owed| if owed { store.purge() } else { store.finish_compaction() });
        match settled {
            Err(error) if error.kind() == Kind::Cancelled => Err(error),
            Err(error) => {
                progress.note(&message!["all batches are committed, but compacting the store afterwards failed: ", {
                    error.message()
                },]);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Reads batches for one store without opening the store. Its rules of admission cannot change meanwhile, since the
/// [`Ingester`] holds the write lock.
pub struct BatchReader {
    folder: Folder,
    zone: Zone,
    admission: Admission,
    types: Option<TypeTable>,
    ids: Option<Ids>,
    outlines: Outlines,
}

/// A batch that has been read, to be loaded into a store. Memory: the memory for sorting that it was read with.
pub struct ReadBatch {
    pub(super) dt: Day,
    pub(super) actions: Buckets<DatedAction>,
    /// Complete except for the number of customers.
    pub(super) record: BatchRecord,
    pub(super) left_out: LeftOut,
    pub(super) same: SameContents,
    pub(super) sources: Sources,
    pub(super) far: FarActions,
    /// The sources that have a row.
    pub(super) with_rows: BTreeSet<String>,
}

impl BatchReader {
    /// Returns the same reader with other rules of admission.
    pub(super) fn admitting(&self, admission: Admission) -> BatchReader {
        let BatchReader { folder, zone, types, ids, outlines, .. } = self;
        let (folder, zone, types) = (folder.clone(), zone.clone(), types.clone());
        BatchReader { folder, zone, admission, types, ids: *ids, outlines: outlines.clone() }
    }

    /// Reads the files of a batch, or its rows in memory, without touching the store. Fails if there is neither, if the
    /// day or the sources are unlike those of the other batches (see [`Outlines`]), if there are bad rows, or if names
    /// or numbers of action types conflict with the store's, or if its ids are others.
    pub fn read(&self, options: &IngestOptions, progress: &dyn Progress) -> Result<ReadBatch> {
        let dt = options.dt;
        refuse_overlaps(options.input.folder(), self.folder.path(), None, options.quarantine.as_deref())?;
        joined_types(self.types.as_ref(), &options.sources)?;
        refuse_other_ids(&self.folder, self.ids, options.sources.ids())?;
        if !options.allow_far_day {
            self.outlines.refuse_far_days(&[dt], options.today)?;
        }
        let files = match &options.input {
            Input::Folder(root) => batch_files(&options.resources.place(root)?, &options.sources, dt)?,
            Input::Memory(memory) => memory.actions(&options.sources)?,
        };
        if !options.allow_missing_source {
            self.outlines.refuse_missing_sources(&[(dt, source_names(&files))])?;
        }
        if files.is_empty() && !options.allow_empty {
            return Err(no_files(options));
        }
        let resources = &options.resources;
        let mut sorter = Sorter::new(resources.sort_bytes(), Scratch::new(self.folder.scratch()), resources);
        let has_event_ids = files.iter().any(|(source, _)| source.distinct_by.is_some());
        let identified = has_event_ids.then(|| SharedSorter::new(sorter.half()));
        let sorter = SharedSorter::new(sorter);
        let read = read_batch(&files, options, (&self.zone, &self.admission), (&sorter, identified), progress);
        // A failed sorter is the cause of the reading error, so its error is returned first.
        let sorter = sorter.into_sorter()?;
        let Read { record, left_out, same, far, with_rows } = read?;
        let (actions, sources) = (sorter.buckets()?, options.sources.clone());
        Ok(ReadBatch { dt, actions, record, left_out, same, sources, far, with_rows })
    }
}

/// Returns the names of the files' sources.
pub(crate) fn source_names<'a>(files: &[SourceFile<'a>]) -> BTreeSet<&'a str> {
    files.iter().map(|(source, _)| source.name.as_str()).collect()
}

/// Fails if the store has other ids than a batch; without any, a batch may have what it likes.
fn refuse_other_ids(folder: &Folder, held: Option<Ids>, described: Ids) -> Result<()> {
    match held.filter(|held| *held != described) {
        Some(held) => Err(other_ids(folder.path(), held, described)),
        None => Ok(()),
    }
}

/// Commits a batch, with settings that it changes. Adds the batch to the outlines.
fn commit(
    store: &Store,
    batch: ReadBatch,
    types: &TypeTable,
    settings: NewSettings<'_>,
    outlines: &mut Outlines,
    progress: &dyn Progress,
) -> Result<IngestSummary> {
    let ReadBatch { dt, actions, mut record, left_out, same, .. } = batch;
    let replaced = store.holds_batch(dt)?;
    progress.begin("folding", "actions", Some(record.actions.sum() - left_out.forgotten - left_out.pruned));
    let work_units = WorkUnits::new(store, dt, actions);
    let loaded = load(store, dt, work_units, Some(&mut record), settings, progress)?;
    let named = record.actions.named(types);
    let drops = store.settings().duplicates == Duplicates::Drop;
    outlines.hold(dt, &record);
    Ok(IngestSummary {
        dt: dt.to_string(),
        files: record.files.len(),
        bytes: record.files.iter().map(|file| file.bytes).sum(),
        actions: record.actions.sum(),
        clicks: named.of("click"),
        add_to_carts: named.of("add_to_cart"),
        orders: named.of("order"),
        types: named,
        ignored: record.ignored,
        empty_lists: left_out.empty_lists,
        late: record.late,
        early: record.early,
        duplicates: loaded.duplicates,
        without_customer: left_out.without_customer,
        deduplicated: left_out.deduplicated,
        duplicates_dropped: if drops { loaded.duplicates } else { 0 },
        quarantined: record.quarantined,
        same_content: same.count,
        same_content_files: same.listed,
        forgotten: left_out.forgotten,
        pruned: left_out.pruned,
        customers: loaded.customers,
        new_customers: loaded.new_customers,
        customers_at_cap: loaded.customers_at_cap,
        keyframes: loaded.keyframes,
        unlike: outlines.unlike(dt),
        replaced,
        created: false,
    })
}

/// Returns the error for a day without any file or row.
pub(super) fn no_files(options: &IngestOptions) -> Error {
    let IngestOptions { input, sources, dt, .. } = options;
    let Some(root) = input.folder().map(Shown::shown) else {
        return Error::input(
            format!("the input in memory for {dt} has no actions"),
            message![
                "give it the rows of a source (a reader gives them once), or ingest the day as an empty batch with ",
                AllowEmpty
            ],
        );
    };
    let what = match &sources.file {
        None => format!("neither in {root}/clicks/dt={dt} nor in add_to_carts/ nor in orders/"),
        Some(file) => {
            let patterns = sources.actions.iter().map(|source| source.pattern.text_on(*dt));
            let patterns = patterns.collect::<Vec<_>>().join(", ");
            format!("nothing in {root} matches {patterns} of {}", file.shown())
        }
    };
    Error::input(
        format!("there is no file for {dt}: {what}"),
        message!["check ", Input, " and ", Dt, ", or ingest the day as an empty batch with ", AllowEmpty],
    )
}
