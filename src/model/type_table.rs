//! The names of action types.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ActionType;

/// The maximum length of a type name, in characters.
pub(crate) const TYPE_NAME_CHARS_MAX: usize = 64;

/// Whether a text is a valid type name: 1 to 64 ASCII letters, digits, `_`, `-` and `.`. A list of names thus needs no
/// quoting.
pub(crate) fn is_type_name(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&letter);
    !text.is_empty() && text.len() <= TYPE_NAME_CHARS_MAX && text.chars().all(is_plain)
}

/// Names and numbers of action types, one to one. A table may grow, but an entry never changes, so stored numbers keep
/// their meaning. Clones share the entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TypeTable(Arc<BTreeMap<u8, String>>);

/// A name and number on which two tables disagree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TypeConflict {
    /// The entry of the first table.
    pub held: (String, u8),
    /// The entry of the other table.
    pub described: (String, u8),
}

impl Default for TypeTable {
    /// click 1, add_to_cart 2, order 3.
    fn default() -> Self {
        let names = [(1, "click"), (2, "add_to_cart"), (3, "order")];
        TypeTable(Arc::new(names.map(|(number, name)| (number, name.to_owned())).into()))
    }
}

impl TypeTable {
    /// Returns the table of these numbers and names; `None` if the list is empty, a number is 0, a name is invalid, or
    /// a number or name occurs twice.
    pub fn new(types: impl IntoIterator<Item = (u8, String)>) -> Option<Self> {
        let mut table: BTreeMap<u8, String> = BTreeMap::new();
        for (number, name) in types {
            if number == 0 || !is_type_name(&name) || table.values().any(|held| *held == name) {
                return None;
            }
            if table.insert(number, name).is_some() {
                return None;
            }
        }
        (!table.is_empty()).then(|| TypeTable(Arc::new(table)))
    }

    /// Whether the table has exactly the three types that apply without a configuration.
    pub(crate) fn is_default(&self) -> bool {
        *self == TypeTable::default()
    }

    /// Iterates over numbers and names, numbers ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &str)> {
        self.0.iter().map(|(number, name)| (*number, name.as_str()))
    }

    /// Whether a number has a name.
    pub fn holds(&self, number: u8) -> bool {
        self.0.contains_key(&number)
    }

    /// Returns the name of a number; without a name, the number as text.
    pub fn name(&self, number: u8) -> String {
        self.0.get(&number).cloned().unwrap_or_else(|| format!("type {number}"))
    }

    /// Returns the type with this name.
    pub fn type_named(&self, name: &str) -> Option<ActionType> {
        let number = self.0.iter().find(|(_, found)| *found == name).map(|(number, _)| *number);
        number.and_then(ActionType::from_number)
    }

    /// Returns all types of both tables. Fails on the lowest number, or else name, on which the tables disagree.
    pub(crate) fn joined(&self, other: &TypeTable) -> Result<TypeTable, TypeConflict> {
        let mut joined = self.clone();
        for (number, name) in other.0.iter() {
            let described = (name.clone(), *number);
            let by_number = self.0.get(number).filter(|held| *held != name).map(|held| (held.clone(), *number));
            let by_name = self.type_named(name).map(ActionType::number).filter(|held| held != number);
            if let Some(held) = by_number.or_else(|| by_name.map(|held| (name.clone(), held))) {
                return Err(TypeConflict { held, described });
            }
            if !self.holds(*number) {
                Arc::make_mut(&mut joined.0).insert(*number, name.clone());
            }
        }
        Ok(joined)
    }

    /// Returns `click=1,add_to_cart=2`, numbers ascending: all types that `wanted` accepts.
    pub fn text(&self, wanted: impl Fn(u8) -> bool) -> String {
        let types = self.iter().filter(|(number, _)| wanted(*number));
        types.map(|(number, name)| format!("{name}={number}")).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(types: &[(u8, &str)]) -> Option<TypeTable> {
        TypeTable::new(types.iter().map(|(number, name)| (*number, (*name).to_owned())))
    }

    #[test]
    fn a_table_is_one_to_one_and_has_plain_names() {
        assert_eq!(table(&[(3, "order"), (1, "click"), (2, "add_to_cart")]), Some(TypeTable::default()));
        for wrong in [&[][..], &[(0, "pad")], &[(1, "a"), (1, "b")], &[(1, "a"), (2, "a")], &[(1, "")], &[(1, "a,b")]] {
            assert_eq!(table(wrong), None, "{wrong:?}");
        }
        assert!(is_type_name(&"x".repeat(64)) && !is_type_name(&"x".repeat(65)) && !is_type_name("é"));
    }

    #[test]
    fn tables_grow_and_never_change() {
        let held = TypeTable::default();
        let more = table(&[(1, "click"), (255, "wish")]).unwrap();
        let joined = held.joined(&more).unwrap();
        assert_eq!(joined.text(|_| true), "click=1,add_to_cart=2,order=3,wish=255");
        assert_eq!(joined.text(|number| number > 2), "order=3,wish=255");
        assert_eq!(joined.joined(&held).unwrap(), joined);
        let conflict = |types: &[(u8, &str)]| {
            let TypeConflict { held: (held, is), described: (described, was) } =
                held.joined(&table(types).unwrap()).unwrap_err();
            format!("{held} {is}, {described} {was}")
        };
        assert_eq!(conflict(&[(1, "view")]), "click 1, view 1");
        assert_eq!(conflict(&[(4, "order")]), "order 3, order 4");
        assert_eq!(conflict(&[(2, "click")]), "add_to_cart 2, click 2");
    }
}
