//! Bytes as a page whose rows repeat: a frame that the Zstandard library decodes to it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(lookback::fuzz::zstd_frame(bytes).is_ok());
});
