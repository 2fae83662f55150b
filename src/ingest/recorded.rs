//! How a batch record names and numbers the sources of its files.

use crate::error::Result;
use crate::exact::Held;
use crate::format::SourceRecord;
use crate::input::SourceFile;

/// The sources of a record, and the number of each file's source.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Recorded {
    /// The sources with files; empty if all of them are as without a configuration.
    pub sources: Vec<SourceRecord>,
    /// The number of each file's source.
    pub numbers: Vec<u8>,
}

impl Recorded {
    /// Returns the sources of the files of a batch, which are given source after source.
    pub(super) fn of(files: &[SourceFile<'_>]) -> Result<Self> {
        let built_in: Option<Vec<u8>> = files.iter().map(|(source, _)| source.built_in_number()).collect();
        if let Some(numbers) = built_in {
            return Ok(Recorded { sources: Vec::new(), numbers });
        }
        let mut recorded = Recorded { sources: Vec::new(), numbers: Vec::with_capacity(files.len()) };
        for (source, _) in files {
            if recorded.sources.last().is_none_or(|last| last.name != source.name) {
                recorded.sources.push(SourceRecord { name: source.name.clone(), mapping: source.mapping() });
            }
            recorded.numbers.push(u8::try_from(recorded.sources.len()).held("a batch has at most 255 sources")?);
        }
        Ok(recorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::BatchRecord;
    use crate::input::DayFile;
    use crate::sources::ActionSource;
    use crate::sources::Sources;

    #[test]
    fn only_sources_that_say_something_else_are_told() {
        let file = |name: &str| DayFile::new(name, name);
        let sources = Sources::default();
        let [clicks, _, orders] = sources.actions.as_slice() else { panic!() };
        let plain = Recorded::of(&[(clicks, file("a")), (clicks, file("b")), (orders, file("a"))]).unwrap();
        assert_eq!((plain.sources.len(), plain.numbers), (0, vec![1, 1, 3]));
        let renamed = ActionSource { item_id: "sku".to_owned(), ..orders.clone() };
        let recorded = Recorded::of(&[(clicks, file("a")), (clicks, file("b")), (&renamed, file("a"))]).unwrap();
        let names: Vec<&str> = recorded.sources.iter().map(|source| source.name.as_str()).collect();
        assert_eq!((names, &recorded.numbers), (vec!["clicks", "orders"], &vec![1, 1, 2]));
        let record = BatchRecord { sources: recorded.sources, ..BatchRecord::default() };
        assert_eq!(record.mapping_of("orders"), Some(renamed.mapping()));
        assert_eq!(record.mapping_of("add_to_carts"), None);
        assert_eq!(BatchRecord::default().mapping_of("orders"), Some(orders.mapping()));
        assert_eq!(Recorded::of(&[]).unwrap(), Recorded { sources: Vec::new(), numbers: Vec::new() });
    }
}
