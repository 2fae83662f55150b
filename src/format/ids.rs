//! The records of settings that stores have had since version 6: how ids became numbers, and what becomes of equal
//! actions.

use super::value::{DropDuplicates, IdsRecord};
use crate::error::{Error, Result};
use crate::model::{Duplicates, IdForm, Ids};

impl IdsRecord {
    /// Returns the record of ids; `None` for integers that stay what they are, which are not stored.
    pub(crate) fn of(ids: Ids) -> Option<Self> {
        let Ids { customer, item, item_offset } = ids;
        let number = |form| match form {
            IdForm::Integer => 0,
            IdForm::Text => 1,
        };
        let record = IdsRecord { customer: number(customer), item: number(item), item_offset };
        (ids != Ids::default()).then_some(record)
    }

    /// Returns the ids. Fails on a record that [`IdsRecord::of`] does not return.
    pub(crate) fn ids(self) -> Result<Ids> {
        let form = |number| match number {
            0 => Some(IdForm::Integer),
            1 => Some(IdForm::Text),
            _ => None,
        };
        let forms = form(self.customer).zip(form(self.item));
        let ids = forms.map(|(customer, item)| Ids { customer, item, item_offset: self.item_offset });
        let has_offset = |ids: &Ids| ids.item == IdForm::Text && ids.item_offset != 0;
        let is_valid = |ids: &Ids| IdsRecord::of(*ids) == Some(self) && !has_offset(ids);
        ids.filter(is_valid).ok_or_else(|| Error::corrupt("the description of ids in the store is invalid"))
    }
}

impl DropDuplicates {
    /// Returns the record; `None` if equal actions are kept.
    pub(crate) fn of(duplicates: Duplicates) -> Option<Self> {
        (duplicates == Duplicates::Drop).then_some(DropDuplicates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Record;

    /// Stores hold these bytes, which never change.
    #[test]
    fn golden_bytes_and_records_that_are_none() {
        let bytes = |ids| IdsRecord::of(ids).unwrap().to_bytes().unwrap();
        let read = |bytes: &[u8]| IdsRecord::from_bytes(bytes).and_then(IdsRecord::ids);
        let mixed = Ids { customer: IdForm::Text, item: IdForm::Integer, item_offset: -1 };
        let large = Ids { item_offset: 300, ..Ids::default() };
        let texts = Ids { customer: IdForm::Text, item: IdForm::Text, item_offset: 0 };
        for (ids, golden) in [
            (mixed, &[6, 1, 0, 1][..]),
            // Mapped to 600, which takes two bytes behind 0xfb.
            (large, &[6, 0, 0, 0xfb, 0x58, 0x02]),
            (texts, &[6, 1, 1, 0]),
        ] {
            assert_eq!(bytes(ids), golden);
            assert_eq!(read(golden).unwrap(), ids);
        }
        assert_eq!(IdsRecord::of(Ids::default()), None);
        // Defaults, an unknown form, an offset of texts, another version, and a byte too many.
        for wrong in [&[6, 0, 0, 0][..], &[6, 2, 0, 0], &[6, 0, 1, 2], &[5, 1, 0, 0], &[6, 1, 0, 0, 0]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(DropDuplicates::of(Duplicates::Drop).unwrap().to_bytes().unwrap(), [6]);
        assert_eq!(DropDuplicates::of(Duplicates::Keep), None);
    }
}
