//! How RocksDB is set up, each setting with its reason.

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, LogLevel, Options};

/// Shared by all readers of one open store: data, index and filter blocks. Most of the memory that an open store takes.
const BLOCK_CACHE_BYTES: usize = 128 << 20;

/// A snapshot of a heavy customer takes 15 kB, so smaller blocks would each hold a part of one.
const BLOCK_BYTES: usize = 16 << 10;

/// One table file. Large enough that a year has hundreds of them and not tens of thousands, since all are held open.
pub(super) const TABLE_FILE_BYTES: u64 = 64 << 20;

/// The options of every way to open a store.
pub(super) fn options() -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_size(BLOCK_BYTES);
    blocks.set_block_cache(&Cache::new_lru_cache(BLOCK_CACHE_BYTES));
    // Counted against the cache, so that a store of many files does not grow out of its memory.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);

    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    // Nearly all bytes lie in the last level and are written there seldom, so the slower and denser codec pays.
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_target_file_size_base(TABLE_FILE_BYTES);
    // All table files open from the start: a reader beside a writer would otherwise miss those that compaction deletes meanwhile.
    options.set_max_open_files(-1);
    options.set_max_background_jobs(2);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options
}
