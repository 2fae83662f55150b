//! Items and action types as columns, which deltas and keyframes have in common.

use super::bits::{pack, packed_bytes, unpack, width_of};
use super::varint::{Reader, put_varint, unzigzag, zigzag};
use crate::error::Result;

/// Appends the header and the columns of a list of actions: widths, item base, items, types.
///
/// `unit` is the number of the time unit; it is stored in one byte with the width of the types.
pub(super) fn put_columns(
    unit: u8,
    items: impl Iterator<Item = i64> + Clone,
    types: impl Iterator<Item = u8> + Clone,
    bytes: &mut Vec<u8>,
) {
    let base = items.clone().min().unwrap_or(0);
    let above = |item: i64| item.wrapping_sub(base).cast_unsigned();
    let item_width = width_of(items.clone().map(above).max().unwrap_or(0));
    let first_type = types.clone().next().unwrap_or(0);
    let all_alike = types.clone().all(|number| number == first_type);
    let highest = types.clone().max().unwrap_or(0);
    let type_width = if all_alike { 0 } else { width_of(u64::from(highest)) };
    bytes.push(unit << 4 | type_width.to_le_bytes()[0]);
    bytes.push(item_width.to_le_bytes()[0]);
    put_varint(zigzag(base), bytes);
    pack(items.map(above), item_width, bytes);
    if all_alike {
        bytes.push(first_type);
    } else {
        pack(types.map(u64::from), type_width, bytes);
    }
}

/// The columns in the bytes of a value, located but not unpacked.
#[derive(Clone, Copy)]
pub(super) struct Columns<'bytes> {
    pub unit: u8,
    count: usize,
    base: i64,
    item_width: u32,
    items: &'bytes [u8],
    types: Types<'bytes>,
}

/// The types of the actions: a single type that all have, or packed in this many bits each.
#[derive(Clone, Copy)]
enum Types<'bytes> {
    Alike(u8),
    Packed(u32, &'bytes [u8]),
}

impl<'bytes> Columns<'bytes> {
    /// Locates the columns of `count` actions. Fails on damaged bytes.
    pub(super) fn read(reader: &mut Reader<'bytes>, count: usize) -> Result<Self> {
        let packing = reader.byte()?;
        let (unit, type_width) = (packing >> 4, u32::from(packing & 0xf));
        let item_width = u32::from(reader.byte()?);
        if type_width > 8 || item_width > 64 {
            return Err(reader.damaged());
        }
        let base = unzigzag(reader.varint()?);
        let mut packed = |width| {
            let bytes = packed_bytes(count, width).ok_or_else(|| reader.damaged())?;
            reader.bytes(bytes)
        };
        let items = packed(item_width)?;
        let types = match type_width {
            0 => Types::Alike(reader.byte()?),
            width => Types::Packed(width, packed(width)?),
        };
        Ok(Columns { unit, count, base, item_width, items, types })
    }

    /// Appends the items and types of the first actions, at most `room` of them. Returns their number.
    pub(super) fn append(&self, actions_max: usize, items: &mut Vec<i64>, types: &mut Vec<u8>) -> usize {
        let taken = self.count.min(actions_max);
        let (items_before, types_before) = (items.len(), types.len());
        items.resize(items_before + taken, 0);
        let (_, new) = items.split_at_mut(items_before);
        unpack(self.items, self.item_width, new, |above| self.base.wrapping_add(above.cast_signed()));
        match self.types {
            Types::Alike(number) => types.resize(types_before + taken, number),
            Types::Packed(width, bytes) => {
                types.resize(types_before + taken, 0);
                let (_, new) = types.split_at_mut(types_before);
                unpack(bytes, width, new, |number| number.to_le_bytes()[0]);
            }
        }
        taken
    }
}
