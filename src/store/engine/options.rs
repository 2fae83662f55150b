//! RocksDB's options, each with its reason.

use rocksdb::{
    BlockBasedOptions, Cache, DBCompactionStyle, DBCompressionType, LogLevel, Options, ReadOptions, SliceTransform,
    UniversalCompactOptions,
};

use crate::format::HISTORY_PREFIX_BYTES;

/// Cache for blocks that are read once by key: the records. Walks over histories bypass the cache.
const BLOCK_CACHE_BYTES: usize = 8 << 20;

/// The newest 1,000 actions of a customer take some 10 kB. Larger blocks read more of the neighbours, smaller blocks
/// make the index longer.
const BLOCK_BYTES: usize = 8 << 10;

/// Size of a table file that compaction writes. All files are held open, and with this size a year has tens of files
/// instead of thousands.
const TABLE_FILE_BYTES: u64 = 64 << 20;

/// Sorted runs at which compaction starts. A reader looks into each run, and each further run saves compaction some
/// writing: with 8, a year of daily batches is written 5.4 times (measured), with 5 runs on average.
const RUNS: i32 = 8;

/// Returns the options for every way to open a store.
pub(crate) fn options() -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_size(BLOCK_BYTES);
    blocks.set_block_cache(&Cache::new_lru_cache(BLOCK_CACHE_BYTES));
    // Index and filters stay in memory: 3 to 4 bytes for each 1,000 of the store. In the cache they took a tenth of a
    // produce's time.
    blocks.set_cache_index_and_filter_blocks(false);
    // By customer: the only question to a filter is whether a run has any key of a customer.
    blocks.set_bloom_filter(10.0, false);
    blocks.set_whole_key_filtering(false);
    blocks.set_format_version(6);

    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_prefix_extractor(SliceTransform::create_fixed_prefix(HISTORY_PREFIX_BYTES));
    // Values are already packed; compression would cost every reader more than it saves.
    options.set_compression_type(DBCompressionType::None);
    // Each batch is one sorted run over all customers. Runs of similar size are merged, so that a byte is rewritten as
    // often as the number of runs has doubled, and not once per level and neighbour.
    options.set_compaction_style(DBCompactionStyle::Universal);
    let mut universal = UniversalCompactOptions::default();
    universal.set_size_ratio(50);
    universal.set_max_size_amplification_percent(200);
    options.set_universal_compaction_options(&universal);
    options.set_level_zero_file_num_compaction_trigger(RUNS);
    options.set_max_subcompactions(2);
    options.set_target_file_size_base(TABLE_FILE_BYTES);
    // All table files are open from the start: otherwise a reader beside a writer would miss files that compaction
    // deletes in the meantime.
    options.set_max_open_files(-1);
    // Only the thread that opens the database: if another thread fails to start, RocksDB waits for it for ever, and
    // several threads were no faster for some tens of files.
    options.set_max_file_opening_threads(1);
    options.set_skip_stats_update_on_db_open(true);
    options.set_max_background_jobs(2);
    // Nobody reads the statistics. And if a database is deliberately left open (see the end of `database`), the thread
    // that counts would go on while the process ends, and crash it: seen in 1 of 4,000 runs on a full disk, with 11.8.
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options
}

/// Returns the options for opening read-only to ask how far the database has come, without opening its table files,
/// which is most of the work.
pub(crate) fn options_of_a_glance() -> Options {
    let mut options = options();
    options.set_max_open_files(16);
    options
}

/// Returns the options for a walk over keys of any kind, in order.
pub(crate) fn scanning() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_total_order_seek(true);
    options.fill_cache(false);
    options
}

/// Returns the options for reading the histories of one customer after another.
pub(crate) fn by_customer() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_prefix_same_as_start(true);
    // Customers come in order, so a block is needed once, and the cursor then holds it.
    options.fill_cache(false);
    options
}
