//! Bytes as a page whose rows repeat: a frame that the Zstandard library decodes to it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(lookback::internals::zstd_frame(bytes).is_ok());
});
