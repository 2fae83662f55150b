//! How RocksDB is set up, each setting with its reason.

use rocksdb::{
    BlockBasedOptions, Cache, DBCompactionStyle, DBCompressionType, LogLevel, Options, ReadOptions, SliceTransform,
    UniversalCompactOptions,
};

use crate::format::HISTORY_PREFIX_BYTES;

/// Blocks that are read once by key: the records. Walks over histories keep theirs out of the cache.
const BLOCK_CACHE_BYTES: usize = 8 << 20;

/// The newest 1,000 actions of a customer take some 10 kB. Larger blocks bring more of the neighbours along, smaller
/// ones make the index longer.
const BLOCK_BYTES: usize = 8 << 10;

/// One table file that compaction writes. Large enough that a year has tens of them and not thousands, since all are
/// held open.
const TABLE_FILE_BYTES: u64 = 64 << 20;

/// Sorted runs from which compaction begins. A reader looks into each of them, and each more spares compaction some
/// writing: with 8, a year of daily batches is written 5.4 times over (measured), and there are 5 runs on average.
const RUNS: i32 = 8;

/// The options of every way to open a store.
pub fn options() -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_size(BLOCK_BYTES);
    blocks.set_block_cache(&Cache::new_lru_cache(BLOCK_CACHE_BYTES));
    // Index and filters stay in memory, 3 to 4 bytes for each 1,000 of the store. Kept in the cache they took a tenth
    // of a produce's time.
    blocks.set_cache_index_and_filter_blocks(false);
    // By customer: whether a run has anything of one is all that is ever asked.
    blocks.set_bloom_filter(10.0, false);
    blocks.set_whole_key_filtering(false);
    blocks.set_format_version(6);

    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_prefix_extractor(SliceTransform::create_fixed_prefix(HISTORY_PREFIX_BYTES));
    // Values are packed already; what a codec would still gain costs every reader more than it saves.
    options.set_compression_type(DBCompressionType::None);
    // Each batch is one sorted run over all customers. Runs of like size are merged, so that a byte is rewritten as
    // often as the number of runs has doubled, and not once per level and neighbour.
    options.set_compaction_style(DBCompactionStyle::Universal);
    let mut universal = UniversalCompactOptions::default();
    universal.set_size_ratio(50);
    universal.set_max_size_amplification_percent(200);
    options.set_universal_compaction_options(&universal);
    options.set_level_zero_file_num_compaction_trigger(RUNS);
    options.set_max_subcompactions(2);
    options.set_target_file_size_base(TABLE_FILE_BYTES);
    // All table files open from the start: a reader beside a writer would otherwise miss those that compaction deletes
    // meanwhile.
    options.set_max_open_files(-1);
    // None beside the one that opens the database: a thread that cannot be started leaves RocksDB waiting for itself,
    // and several were no faster for some tens of files.
    options.set_max_file_opening_threads(1);
    options.set_skip_stats_update_on_db_open(true);
    options.set_max_background_jobs(2);
    // Told to nobody. And where a database is left open on purpose (see the end of `database`), the thread that counts
    // would go on while the process ends, and crash it: seen in 1 of 4,000 runs on a full disk, with 11.8.
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options
}

/// For opening read-only to ask how far the database has come: without opening its table files, which is most of the
/// work.
pub fn options_of_a_glance() -> Options {
    let mut options = options();
    options.set_max_open_files(16);
    options
}

/// For a walk over keys of any kind, in order.
pub fn scanning() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_total_order_seek(true);
    options.fill_cache(false);
    options
}

/// For reading one customer's history after the other.
pub fn by_customer() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_prefix_same_as_start(true);
    // Customers come in order, so a block is met once and by then stays with the cursor.
    options.fill_cache(false);
    options
}
