//! Finds the word that a typo was meant to be.

/// Returns the word of `words` with the fewest edits to `typed`: letters inserted, deleted, replaced, or swapped with a
/// neighbour. Of several, the first.
pub(crate) fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |word: &&str| strsim::damerau_levenshtein(&typed.to_lowercase(), &word.to_lowercase());
    words.into_iter().min_by_key(slips)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_slips_win() {
        let keys = ["pattern", "columns", "time_unit", "type", "values", "ignore"];
        for (typed, meant) in
            [("colums", "columns"), ("Pattern", "pattern"), ("timeunit", "time_unit"), ("tpye", "type")]
        {
            assert_eq!(nearest(typed, keys), Some(meant));
        }
        assert_eq!(nearest("x", []), None);
    }
}
