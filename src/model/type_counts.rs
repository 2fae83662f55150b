//! How many actions there are of each type.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::TypeTable;

/// Actions by the number of their type. A type without any is not there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TypeCounts(BTreeMap<u8, u64>);

impl TypeCounts {
    /// Of each type of a table its number, to be shown beside its name.
    pub fn numbers_of(types: &TypeTable) -> Self {
        types.iter().map(|(number, _)| (number, number.into())).collect()
    }

    /// How many there are of a type.
    pub fn of(&self, number: u8) -> u64 {
        self.0.get(&number).copied().unwrap_or(0)
    }

    /// Sets how many there are of a type.
    pub fn set(&mut self, number: u8, count: u64) {
        match count {
            0 => self.0.remove(&number),
            count => self.0.insert(number, count),
        };
    }

    /// Adds some of a type; more than fit 64 bits are as many as fit.
    pub fn add(&mut self, number: u8, count: u64) {
        if count > 0 {
            let sum = self.0.entry(number).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Adds all of another.
    pub fn add_all(&mut self, other: &TypeCounts) {
        other.iter().for_each(|(number, count)| self.add(number, count));
    }

    /// Numbers and counts, numbers ascending; no count is 0.
    pub fn iter(&self) -> impl Iterator<Item = (u8, u64)> {
        self.0.iter().map(|(number, count)| (*number, *count))
    }

    /// Of all types.
    pub fn sum(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// With the names of all types of a table, and whatever else there is.
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

/// Counts by the names of their types, in the order of the numbers; in JSON an object. A type of the table that has
/// none counts 0.
///
/// Memory: that of the counts; the names are those of the table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NamedCounts {
    types: TypeTable,
    counts: TypeCounts,
}

impl NamedCounts {
    /// The count of the type with this name; `None` if there is no such type.
    pub fn of(&self, name: &str) -> Option<u64> {
        self.iter().find(|(found, _)| found == name).map(|(_, count)| count)
    }

    /// Names and counts, in the order of the numbers.
    pub fn iter(&self) -> impl Iterator<Item = (String, u64)> {
        self.numbers().into_iter().map(|number| (self.types.name(number), self.counts.of(number)))
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
