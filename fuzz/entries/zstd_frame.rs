//! What is run on bytes as a page to be compressed: by the fuzzer (see `fuzz/README.md`), and by the tests.

use super::RepeatingPage;
use crate::error::Result;

/// Pages of more bytes are not made: one piece of input may repeat 255 times.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// Makes a page of any bytes, and its frame, which the library must decode to the page. The bytes are pieces one behind
/// the other, each with four in front that say how long it is (2), by how many times 16 zeros it is padded (1), and how
/// often it stands in the page (1); the last piece may be cut off.
///
/// Gives the size of the frame; `None` where the page is left to the library. Panics where the frame is wrong. Memory:
/// some times 8 MiB.
pub fn zstd_frame(mut bytes: &[u8]) -> Result<Option<usize>> {
    let (mut pieces, mut page_bytes) = (Vec::new(), 0);
    while let Some(([low, high, zeros, times], rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (content, behind) = rest.split_at(length.min(rest.len()));
        let (zeros, times) = (16 * usize::from(*zeros), usize::from(*times));
        let piece = [content, &vec![0; zeros]].concat();
        page_bytes += piece.len() * times;
        if page_bytes > PAGE_BYTES_MAX {
            break;
        }
        pieces.push((piece, zeros, times));
        bytes = behind;
    }
    encoded(&pieces)
}

/// Encodes a page of pieces, each of which ends with so many zeros and stands there so often; decodes it with the
/// library, and compares. Gives the size of the frame; `None` where the page is left to the library, which must have
/// changed nothing.
pub(super) fn encoded(pieces: &[(Vec<u8>, usize, usize)]) -> Result<Option<usize>> {
    let (mut page, mut expected) = (RepeatingPage::new()?, Vec::new());
    for (bytes, zeros, times) in pieces {
        page.push_padded(bytes, *zeros, *times);
        (0..*times).for_each(|_| expected.extend_from_slice(bytes));
        assert_eq!(page.len(), expected.len());
    }
    let mut expanded = Vec::new();
    page.expand(&mut expanded);
    assert!(expanded == expected, "a page is expanded to another one");
    let mut frame = vec![7];
    if !page.encode(&mut frame)? {
        assert_eq!(frame, [7]);
        return Ok(None);
    }
    assert_eq!(page.len(), 0);
    let frame = frame.split_off(1);
    let decoded = zstd::bulk::decompress(&frame, expected.len());
    assert!(decoded.is_ok_and(|decoded| decoded == expected), "a frame is decoded to another page");
    assert_eq!(zstd::zstd_safe::get_frame_content_size(&frame).ok().flatten(), Some(expected.len() as u64));
    Ok(Some(frame.len()))
}
