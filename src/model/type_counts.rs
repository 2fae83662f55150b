//! How many actions there are of each type.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::TypeTable;

/// Actions by the number of their type. A type without any is not there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TypeCounts(BTreeMap<u8, u64>);

impl TypeCounts {
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
        let mut numbers: Vec<u8> = types.iter().map(|(number, _)| number).collect();
        numbers.extend(self.iter().map(|(number, _)| number).filter(|number| !types.holds(*number)));
        numbers.sort_unstable();
        NamedCounts(numbers.into_iter().map(|number| (types.name(number), self.of(number))).collect())
    }
}

impl FromIterator<(u8, u64)> for TypeCounts {
    fn from_iter<I: IntoIterator<Item = (u8, u64)>>(counts: I) -> Self {
        let mut all = TypeCounts::default();
        counts.into_iter().for_each(|(number, count)| all.add(number, count));
        all
    }
}

/// Counts by the names of their types, in the order of the numbers; in JSON an object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NamedCounts(pub Vec<(String, u64)>);

impl NamedCounts {
    /// The count of the type with this name; `None` if there is no such type.
    pub fn of(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, count)| *count)
    }
}

impl Serialize for NamedCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, count) in &self.0 {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}
