//! Bytes as a table file of RocksDB: keys that rise, or a named failure.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = lookback::internals::sst_table(bytes);
});
