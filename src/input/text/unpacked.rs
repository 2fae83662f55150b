//! The decompressed bytes of a text file.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

use crate::error::{Error, Result};
use crate::input::file_kind::Packing;
use crate::input::layout::DayFile;
use crate::message::message;
use crate::resources::Resources;
use crate::text::Shown;

/// How many bytes of the file are read at once.
const READ_BYTES: usize = 64 << 10;

/// The window sizes that zstd allows, as powers of two.
const WINDOW_LOG: std::ops::RangeInclusive<u32> = 10..=31;

/// An open file. Memory: 64 KiB, and for gzip its window of 32 KiB; for zstd its window, which is refused above the
/// budget for a page, see [`Resources::page_bytes`].
pub(super) struct Unpacked {
    path: PathBuf,
    packing: Packing,
    reader: Box<dyn Read>,
    /// The largest allowed window of zstd, as a power of two.
    window_log_max: u32,
}

impl Unpacked {
    /// Opens a file; nothing is read yet.
    pub(super) fn open(day_file: &DayFile, packing: Packing, resources: &Resources) -> Result<Self> {
        let path = &day_file.path;
        let failed = |error: io::Error| Error::io("open", path, error);
        let file = day_file.open()?;
        let page_bytes_log = resources.page_bytes().checked_ilog2().unwrap_or_default();
        let window_log_max = page_bytes_log.clamp(*WINDOW_LOG.start(), *WINDOW_LOG.end());
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

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills a part of `buffer`; returns 0 at the end of the file. `line` is the current line, for the message.
    pub(super) fn read(&mut self, buffer: &mut [u8], line: u64) -> Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| self.failed(error, line)),
            }
        }
    }

    fn failed(&self, error: io::Error, line: u64) -> Error {
        let kind = match self.packing {
            // Errors of the system have a number; errors of a decoder have none.
            _ if error.raw_os_error().is_some() => return Error::io("read", &self.path, error),
            Packing::Plain => return Error::io("read", &self.path, error),
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        };
        let text = error.to_string();
        if text.contains("too much memory") {
            return Error::input(
                format!(
                    "the file {} needs more memory to be decompressed than the memory limit allows (a window of {} bytes)",
                    self.path.shown(),
                    1_u64 << self.window_log_max
                ),
                message!["compress it without --long and at a lower level, or give a larger ", MemoryLimit],
            )
            .caused_by(error);
        }
        let cause = if error.kind() == io::ErrorKind::UnexpectedEof { "it ends too early" } else { &text };
        Error::input(
            format!("the file {} cannot be read as {kind} ({cause}, in or after line {line})", self.path.shown()),
            "write the file again, or begin its name with _ if it is not data",
        )
        .caused_by(error)
    }
}
