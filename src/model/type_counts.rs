//! The number of actions of each type.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::TypeTable;
use super::type_table::is_type_name;

/// Action counts by type number. A type without actions has no entry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TypeCounts(BTreeMap<u8, u64>);

impl TypeCounts {
    /// Returns the number of each type of a table, as its count, to show numbers beside names.
    pub fn numbers_of(types: &TypeTable) -> Self {
        types.iter().map(|(number, _)| (number, number.into())).collect()
    }

    /// Returns the count of a type.
    pub fn of(&self, number: u8) -> u64 {
        self.0.get(&number).copied().unwrap_or(0)
    }

    /// Sets the count of a type.
    pub fn set(&mut self, number: u8, count: u64) {
        match count {
            0 => self.0.remove(&number),
            count => self.0.insert(number, count),
        };
    }

    /// Adds to the count of a type; saturates at 64 bits.
    pub fn add(&mut self, number: u8, count: u64) {
        if count > 0 {
            let sum = self.0.entry(number).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Adds all counts of another value.
    pub(crate) fn add_all(&mut self, other: &TypeCounts) {
        other.iter().for_each(|(number, count)| self.add(number, count));
    }

    /// Iterates over numbers and counts, numbers ascending; no count is 0.
    pub fn iter(&self) -> impl Iterator<Item = (u8, u64)> {
        self.0.iter().map(|(number, count)| (*number, *count))
    }

    /// Returns the sum over all types.
    pub fn sum(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns the counts with the names of all types of a table, and any counts of other types.
    pub fn named(&self, types: &TypeTable) -> NamedCounts {
        NamedCounts { types: types.clone(), counts: self.clone() }
    }
}

impl FromIterator<(u8, u64)> for TypeCounts {
    fn from_iter<I: IntoIterator<Item = (u8, u64)>>(counts: I) -> Self {
        let mut all = TypeCounts::default();
        counts.into_iter().for_each(|(number, count)| all.add(number, count));
        all
    }
}

/// Counts by type name, in the order of the numbers; in JSON an object. A type of the table without actions counts 0.
///
/// Memory: that of the counts; the names are shared with the table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NamedCounts {
    types: TypeTable,
    counts: TypeCounts,
}

impl NamedCounts {
    /// Returns the count of the type with this name; `None` if no such type exists.
    pub fn of(&self, name: &str) -> Option<u64> {
        self.iter().find(|(found, _)| found == name).map(|(_, count)| count)
    }

    /// Iterates over names and counts, in the order of the numbers.
    pub fn iter(&self) -> impl Iterator<Item = (String, u64)> {
        self.numbers().into_iter().map(|number| (self.types.name(number), self.counts.of(number)))
    }

    /// Adds the counts of another value with the same names.
    pub(crate) fn add_all(&mut self, other: &NamedCounts) {
        self.counts.add_all(&other.counts);
    }

    /// Returns numbers, names and counts, in the order of the numbers.
    pub(crate) fn numbered(&self) -> Vec<(u8, String, u64)> {
        self.numbers().into_iter().map(|number| (number, self.types.name(number), self.counts.of(number))).collect()
    }

    /// Returns the value with these numbers, names and counts.
    pub(crate) fn of_numbered(numbered: &[(u8, String, u64)]) -> Self {
        let named = numbered.iter().filter(|(_, name, _)| is_type_name(name));
        let types = TypeTable::new(named.map(|(number, name, _)| (*number, name.clone()))).unwrap_or_default();
        let counts = numbered.iter().map(|(number, _, count)| (*number, *count)).collect();
        NamedCounts { types, counts }
    }

    fn numbers(&self) -> Vec<u8> {
        let mut numbers: Vec<u8> = self.types.iter().map(|(number, _)| number).collect();
        numbers.extend(self.counts.iter().map(|(number, _)| number).filter(|number| !self.types.holds(*number)));
        numbers.sort_unstable();
        numbers
    }
}

impl Serialize for NamedCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, count) in self.iter() {
            map.serialize_entry(&name, &count)?;
        }
        map.end()
    }
}
