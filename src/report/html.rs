//! Text as HTML.

use crate::text::escaped;

/// Returns the text as [`escaped`] gives it, with HTML's special characters as entities; safe in an attribute too.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in escaped(text).chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_text() {
        assert_eq!(escape("a<b>&\"'ä"), "a&lt;b&gt;&amp;&quot;&#39;ä");
        assert_eq!(escape("a\n\u{202e}<"), "a\\n\\u{202e}&lt;");
    }
}
