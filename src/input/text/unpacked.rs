//! The bytes of a text file as they were before it was compressed.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

use crate::error::{Error, Result};
use crate::input::file_kind::Packing;
use crate::message::message;
use crate::resources::Resources;
use crate::storage::regular_file;
use crate::text::Shown;

/// How much of the file is read at once.
const READ_BYTES: usize = 64 << 10;

/// What zstd takes for a window, as a power of two.
const WINDOW_LOG: std::ops::RangeInclusive<u32> = 10..=31;

/// An open file. Memory: 64 KiB and, of gzip, its window of 32 KiB; of zstd, its window, which is refused where it is
/// larger than the share of a page, see [`Resources::page_bytes`].
pub(super) struct Unpacked {
    path: PathBuf,
    packing: Packing,
    reader: Box<dyn Read>,
    /// The largest window of zstd, as a power of two.
    window_log_max: u32,
}

impl Unpacked {
    /// Opens a file; nothing of it is looked at yet.
    pub fn open(path: &Path, packing: Packing, resources: &Resources) -> Result<Self> {
        let failed = |error: io::Error| Error::io("open", path, error);
        let file = regular_file::open(path).map_err(failed)?;
        let room_log = resources.page_bytes().checked_ilog2().unwrap_or_default();
        let window_log_max = room_log.clamp(*WINDOW_LOG.start(), *WINDOW_LOG.end());
        let reader: Box<dyn Read> = match packing {
            Packing::Plain => Box::new(file),
            Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, file))),
            Packing::Zstd => {
                let mut decoder = Decoder::with_buffer(BufReader::with_capacity(READ_BYTES, file)).map_err(failed)?;
                decoder.window_log_max(window_log_max).map_err(failed)?;
                Box::new(decoder)
            }
        };
        Ok(Unpacked { path: path.to_owned(), packing, reader, window_log_max })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills a part of `buffer`; 0 at the end of the file. `line` is where reading has come to, for the message.
    pub fn read(&mut self, buffer: &mut [u8], line: u64) -> Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| self.failed(error, line)),
            }
        }
    }

    fn failed(&self, error: io::Error, line: u64) -> Error {
        let kind = match self.packing {
            // What the system says has a number; what a decoder says has none.
            _ if error.raw_os_error().is_some() => return Error::io("read", &self.path, error),
            Packing::Plain => return Error::io("read", &self.path, error),
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        };
        let text = error.to_string();
        if text.contains("too much memory") {
            return Error::input(
                format!(
                    "the file {} needs more memory to be decompressed than there is room for (a window of {} bytes)",
                    self.path.shown(),
                    1_u64 << self.window_log_max
                ),
                message!["compress it without --long and at a lower level, or give a larger ", MemoryLimit],
            )
            .caused_by(error);
        }
        let cause = if error.kind() == io::ErrorKind::UnexpectedEof { "it ends too early" } else { &text };
        Error::input(
            format!("the file {} cannot be read as {kind} ({cause}, in or behind line {line})", self.path.shown()),
            "write the file anew, or begin its name with _ if it is no data",
        )
        .caused_by(error)
    }
}
