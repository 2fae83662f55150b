//! Text for stdout, line by line: the only text that [`super::console::Console::result`] accepts, so that no content
//! can start a new line.

use lookback::text::escaped;

/// Whole lines, each escaped by [`escaped`].
#[derive(Default)]
pub(super) struct Lines(String);

impl Lines {
    /// Returns text made by the program itself that holds nothing from outside, such as a script.
    pub(super) fn own(text: String) -> Self {
        Lines(text)
    }

    /// Adds a line.
    pub(super) fn push(&mut self, line: &str) {
        self.0.push_str(&escaped(line));
        self.0.push('\n');
    }

    /// Adds all lines of another text.
    pub(super) fn append(&mut self, other: &Lines) {
        self.0.push_str(&other.0);
    }

    /// Returns the text, which ends with the last line.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> FromIterator<T> for Lines {
    fn from_iter<I: IntoIterator<Item = T>>(lines: I) -> Self {
        let mut all = Lines::default();
        lines.into_iter().for_each(|line| all.push(line.as_ref()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let mut lines: Lines = ["a\nb", ""].into_iter().collect();
        lines.append(&["é\u{1b}[2J"].into_iter().collect());
        assert_eq!(lines.text(), "a\\nb\n\né\\u{1b}[2J\n");
    }
}
