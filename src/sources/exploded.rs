//! A list in each record whose elements are the rows: which columns are of its elements.

/// Returns the name of a column within an element of the exploded list, empty for the element itself; `None` for a
/// column of the record.
pub(crate) fn in_element<'a>(explode: Option<&str>, name: &'a str) -> Option<&'a str> {
    let rest = name.strip_prefix(explode?)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_behind_the_list_are_of_its_elements() {
        for (explode, name, expected) in [
            (None, "events.aid", None),
            (Some("events"), "events.aid", Some("aid")),
            (Some("events"), "events.product.id", Some("product.id")),
            (Some("events"), "events", Some("")),
            (Some("events"), "eventsaid", None),
            (Some("events"), "user.events.aid", None),
            (Some("user.events"), "user.events.aid", Some("aid")),
            (Some("user.events"), "user.id", None),
        ] {
            assert_eq!(in_element(explode, name), expected, "{explode:?} {name}");
        }
    }
}
