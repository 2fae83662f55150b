//! Bytes as a page whose rows repeat: a frame that the Zstandard library decodes to it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = lookback::fuzz::zstd_frame(bytes);
});
