//! Format version 1, for reading: keys and values as the programs up to 0.1.0 wrote them. Frozen.
//!
//! Keys begin with a byte for the keyspace: `00 00` store record, `00 01` totals, `01` batch records, `02` index, `03`
//! deltas, `04` snapshots. A customer is 8 bytes, big-endian with the sign bit flipped; a day is 4, likewise, and its
//! complement has every bit flipped. Values begin with the byte 1; then bincode's standard configuration: an unsigned
//! integer below 251 is one byte, else `fb` and 2 bytes, `fc` and 4, `fd` and 8, little endian; a signed one is written
//! as `2n`, or `-2n - 1` where negative; a list is its length, then its elements.

use crate::error::{Error, Result};
use crate::model::{Action, ActionType, CustomerId, Day};

pub(super) const STORE_RECORD: [u8; 2] = [0, 0];
pub(super) const TOTALS: [u8; 2] = [0, 1];
pub(super) const BATCHES: u8 = 1;
pub(super) const INDEX: u8 = 2;
pub(super) const DELTAS: u8 = 3;
pub(super) const SNAPSHOTS: u8 = 4;

/// The customer, day and batch of a delta's key.
pub(super) fn delta_key(key: &[u8]) -> Result<(CustomerId, Day, Day)> {
    let mut reader = Reader::of_key(key, DELTAS)?;
    let parts = (reader.customer()?, reader.complement()?, reader.day()?);
    reader.end()?;
    Ok(parts)
}

/// The customer and day of a snapshot's key.
pub(super) fn snapshot_key(key: &[u8]) -> Result<(CustomerId, Day)> {
    let mut reader = Reader::of_key(key, SNAPSHOTS)?;
    let parts = (reader.customer()?, reader.complement()?);
    reader.end()?;
    Ok(parts)
}

/// The batch, customer and day of an index key.
pub(super) fn index_key(key: &[u8]) -> Result<(Day, CustomerId, Day)> {
    let mut reader = Reader::of_key(key, INDEX)?;
    let parts = (reader.day()?, reader.customer()?, reader.complement()?);
    reader.end()?;
    Ok(parts)
}

/// The day of a batch record's key.
pub(super) fn batch_key(key: &[u8]) -> Result<Day> {
    let mut reader = Reader::of_key(key, BATCHES)?;
    let day = reader.day()?;
    reader.end()?;
    Ok(day)
}

/// `max_history`, the first field of the store record.
pub(super) fn max_history(record: &[u8]) -> Result<usize> {
    let mut reader = Reader::of_value(record)?;
    usize::try_from(reader.unsigned()?).map_err(|_| damaged())
}

/// The customers of the whole store: the one field of the totals.
pub(super) fn customers(totals: &[u8]) -> Result<u64> {
    let mut reader = Reader::of_value(totals)?;
    let customers = reader.unsigned()?;
    reader.end()?;
    Ok(customers)
}

/// The actions of a delta or snapshot, newest first.
pub(super) fn actions(value: &[u8]) -> Result<Vec<Action>> {
    let mut reader = Reader::of_value(value)?;
    let count = usize::try_from(reader.unsigned()?).map_err(|_| damaged())?;
    // Three bytes are the least that an action takes: a length that the bytes cannot hold is damage and not an
    // allocation.
    let mut actions = Vec::with_capacity(count.min(value.len() / 3));
    for _ in 0..count {
        let (time_us, item_id) = (reader.signed()?, reader.signed()?);
        let number = reader.byte()?;
        // Version 1 had three types.
        let action_type = ActionType::from_number(number).filter(|_| number <= 3).ok_or_else(damaged)?;
        actions.push(Action { time_us, item_id, action_type });
    }
    reader.end()?;
    Ok(actions)
}

fn damaged() -> Error {
    Error::corrupt("the store of format version 1 has bytes that lookback does not write")
}

struct Reader<'bytes>(&'bytes [u8]);

impl<'bytes> Reader<'bytes> {
    fn of_key(key: &'bytes [u8], keyspace: u8) -> Result<Self> {
        key.strip_prefix(&[keyspace]).map(Reader).ok_or_else(damaged)
    }

    fn of_value(value: &'bytes [u8]) -> Result<Self> {
        value.strip_prefix(&[1]).map(Reader).ok_or_else(damaged)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    fn unsigned(&mut self) -> Result<u64> {
        match self.byte()? {
            251 => Ok(u16::from_le_bytes(self.take()?).into()),
            252 => Ok(u32::from_le_bytes(self.take()?).into()),
            253 => Ok(u64::from_le_bytes(self.take()?)),
            small @ 0..=250 => Ok(small.into()),
            _ => Err(damaged()),
        }
    }

    fn signed(&mut self) -> Result<i64> {
        let number = self.unsigned()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn customer(&mut self) -> Result<CustomerId> {
        Ok(CustomerId(i64::from_be_bytes(self.take()?) ^ i64::MIN))
    }

    fn day(&mut self) -> Result<Day> {
        Day::from_number(i32::from_be_bytes(self.take()?) ^ i32::MIN).ok_or_else(damaged)
    }

    fn complement(&mut self) -> Result<Day> {
        Day::from_number(!i32::from_be_bytes(self.take()?) ^ i32::MIN).ok_or_else(damaged)
    }

    fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|character| character.is_ascii_hexdigit()).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
    }

    /// The worked example of that version's specification: customer 7 ordered item 300 on 1970-01-03; the batch of
    /// 1970-01-04 brought it.
    #[test]
    fn the_worked_example_of_its_specification() {
        let (day, batch) = (Day::from_number(2).unwrap(), Day::from_number(3).unwrap());
        let index = index_key(&bytes_of("02 80000003 8000000000000007 7ffffffd")).unwrap();
        assert_eq!(index, (batch, CustomerId(7), day));
        let delta = delta_key(&bytes_of("03 8000000000000007 7ffffffd 80000003")).unwrap();
        assert_eq!(delta, (CustomerId(7), day, batch));
        assert_eq!(snapshot_key(&bytes_of("04 8000000000000007 7ffffffd")).unwrap(), (CustomerId(7), day));
        let action = Action { time_us: 172_800_000_001, item_id: 300, action_type: ActionType::ORDER };
        let value = bytes_of("01 01 fd 02805d7750000000 fb 5802 03");
        assert_eq!(actions(&value).unwrap(), [action]);
        for end in 0..value.len() {
            assert!(actions(&value[..end]).is_err());
        }
        assert!(actions(&bytes_of("01 fd ffffffffffffff7f")).is_err(), "a length that is not there");
        assert_eq!(max_history(&bytes_of("01 fbe803 03 555443")).unwrap(), 1_000);
        assert_eq!(customers(&bytes_of("01 fbfb00")).unwrap(), 251);
    }
}
