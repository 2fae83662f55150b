//! Numbers and sentences for people: see [`lookback::text`].

use lookback::model::NamedCounts;
pub(super) use lookback::text::{count, counted, exceptions, size};

/// Returns a count of batches.
pub(super) fn batches(number: u64) -> String {
    if number == 1 { "1 batch".to_owned() } else { format!("{} batches", count(number)) }
}

/// Returns the singular of a type: its name, except for the types that exist without a configuration.
fn noun(name: &str) -> &str {
    if name == "add_to_cart" { "add-to-cart" } else { name }
}

/// Returns the plural of a type.
pub(super) fn plural(name: &str) -> String {
    let has_plural = ["click", "add_to_cart", "order"].contains(&name);
    format!("{}{}", noun(name), if has_plural { "s" } else { "" })
}

/// Returns counts with their types, separated by commas: `2 clicks, 1 add-to-cart, 3 wish`.
pub(super) fn counted_types(types: &NamedCounts) -> String {
    let one = |(name, number): (String, u64)| match number {
        1 => format!("1 {}", noun(&name)),
        number => format!("{} {}", count(number), plural(&name)),
    };
    types.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Returns the words that follow a number: these for 1, those for any other.
pub(super) fn of_number<'a>(number: u64, one: &'a str, other: &'a str) -> &'a str {
    if number == 1 { one } else { other }
}

/// Returns the words for files with the content of another, which follow their number.
pub(super) fn same_content(files: u64) -> &'static str {
    of_number(files, "file with the content of another (kept)", "files with the content of another (kept)")
}

/// Returns the words for records whose exploded list has no element, which follow their number.
pub(super) fn empty_lists(records: u64) -> &'static str {
    of_number(records, "record without an element (no row)", "records without an element (no rows)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lookback::model::{TypeCounts, TypeTable};

    #[test]
    fn types_are_counted_with_their_names() {
        let types = [(1, "click"), (2, "add_to_cart"), (4, "wish")].map(|(number, name)| (number, name.to_owned()));
        let counts: TypeCounts = [(1, 2), (2, 1), (4, 1_000)].into_iter().collect();
        assert_eq!(
            counted_types(&counts.named(&TypeTable::new(types).unwrap())),
            "2 clicks, 1 add-to-cart, 1,000 wish"
        );
    }
}
