//! Compresses pages.

use bytes::Bytes;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::Result;

use super::error::broken;
use super::zstd_frame::RepeatingPage;
use crate::exact::Held;
use crate::message::named;

named! {
    /// The compression of the output's pages.
    pub enum Compression {
        /// Zstandard, level 1.
        Zstd = "zstd",
        /// Snappy.
        Snappy = "snappy",
        /// LZ4, in the raw form that all readers support.
        Lz4 = "lz4",
        /// No compression.
        None = "none",
    }
}

impl Compression {
    /// Returns the compression with this name; `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Compression::Zstd, Compression::Snappy, Compression::Lz4, Compression::None];
        all.into_iter().find(|codec| codec.name() == name)
    }

    /// The parquet crate's name for it.
    pub(super) fn codec(self) -> Codec {
        match self {
            Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
            Compression::Snappy => Codec::SNAPPY,
            Compression::Lz4 => Codec::LZ4_RAW,
            Compression::None => Codec::UNCOMPRESSED,
        }
    }
}

/// Compresses one page after the other. Memory: the codec's tables (some MB at most), one compressed page, and one
/// whole page if it must be assembled.
pub(super) struct Compressor {
    coder: Coder,
    page: Vec<u8>,
    whole: Vec<u8>,
}

enum Coder {
    Zstd(Box<zstd::bulk::Compressor<'static>>),
    Snappy(Box<snap::raw::Encoder>),
    Lz4,
    None,
}

impl Compressor {
    /// A compressor whose output readers expect under [`Compression::codec`].
    pub(super) fn new(compression: Compression) -> std::io::Result<Self> {
        let coder = match compression {
            Compression::Zstd => {
                Coder::Zstd(Box::new(zstd::bulk::Compressor::new(ZstdLevel::default().compression_level())?))
            }
            Compression::Snappy => Coder::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::Lz4 => Coder::Lz4,
            Compression::None => Coder::None,
        };
        Ok(Compressor { coder, page: Vec::new(), whole: Vec::new() })
    }

    /// Returns the compressed form of a page whose rows repeat, and clears the page.
    pub(super) fn compress_repeating(&mut self, page: &mut RepeatingPage) -> Result<Bytes> {
        if matches!(self.coder, Coder::Zstd(_)) {
            self.page.clear();
            if page.encode(&mut self.page).map_err(broken)? {
                return Ok(Bytes::copy_from_slice(&self.page));
            }
        }
        let mut whole = std::mem::take(&mut self.whole);
        whole.clear();
        page.expand(&mut whole);
        page.clear();
        let compressed = self.compress(&whole);
        self.whole = whole;
        compressed
    }

    /// Returns the compressed form of `bytes`.
    pub(super) fn compress(&mut self, bytes: &[u8]) -> Result<Bytes> {
        let bytes_max = match &self.coder {
            Coder::Zstd(_) => zstd::zstd_safe::compress_bound(bytes.len()),
            Coder::Snappy(_) => snap::raw::max_compress_len(bytes.len()),
            Coder::Lz4 => lz4_flex::block::get_maximum_output_size(bytes.len()),
            Coder::None => return Ok(Bytes::copy_from_slice(bytes)),
        };
        // The buffer is kept from page to page: it is far larger than its compressed content.
        if self.page.len() < bytes_max {
            self.page.resize(bytes_max, 0);
        }
        let length = match &mut self.coder {
            Coder::Zstd(zstd) => zstd.compress_to_buffer(bytes, self.page.as_mut_slice())?,
            Coder::Snappy(snappy) => snappy.compress(bytes, &mut self.page).map_err(std::io::Error::other)?,
            Coder::Lz4 => lz4_flex::block::compress_into(bytes, &mut self.page).map_err(std::io::Error::other)?,
            Coder::None => 0,
        };
        let compressed = self.page.get(..length).held("a compressed page fits into its buffer").map_err(broken)?;
        Ok(Bytes::copy_from_slice(compressed))
    }
}
