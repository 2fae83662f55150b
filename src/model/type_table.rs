//! The names of action types.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ActionType;

/// The most characters that the name of a type has.
pub const TYPE_NAME_CHARS_MAX: usize = 64;

/// Whether a text can be the name of a type: 1 to 64 letters, digits, `_`, `-` and `.` of ASCII. So a list of names
/// needs no quoting anywhere.
pub fn is_type_name(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&letter);
    !text.is_empty() && text.len() <= TYPE_NAME_CHARS_MAX && text.chars().all(is_plain)
}

/// Names and numbers of action types, one to one. It may grow and never changes: what has been written with a number
/// keeps its meaning. Clones share them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TypeTable(Arc<BTreeMap<u8, String>>);

/// A name and a number that two tables do not agree on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TypeConflict {
    /// What the first table says.
    pub held: (String, u8),
    /// What the other one says.
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
    /// The table of these numbers and names. `None` where there is none of them, a number is 0, a name is no name, or
    /// either stands there twice.
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

    /// Whether these are the three types that there are without a configuration.
    pub fn is_default(&self) -> bool {
        *self == TypeTable::default()
    }

    /// Numbers and names, numbers ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &str)> {
        self.0.iter().map(|(number, name)| (*number, name.as_str()))
    }

    /// Whether a number has a name.
    pub fn holds(&self, number: u8) -> bool {
        self.0.contains_key(&number)
    }

    /// The name of a number; one that has none is called by its number.
    pub fn name(&self, number: u8) -> String {
        self.0.get(&number).cloned().unwrap_or_else(|| format!("type {number}"))
    }

    /// The type with this name.
    pub fn type_named(&self, name: &str) -> Option<ActionType> {
        let number = self.0.iter().find(|(_, found)| *found == name).map(|(number, _)| *number);
        number.and_then(ActionType::from_number)
    }

    /// All types of both. Fails on the lowest number, or else name, that means something else in the other.
    pub fn joined(&self, other: &TypeTable) -> Result<TypeTable, TypeConflict> {
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

    /// `click=1,add_to_cart=2`, numbers ascending: of all types, or only of those that `wanted` names.
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
