//! The little XML that object stores speak: elements within elements, without attributes that matter.

/// Text as it stands in an element.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// An element with text.
pub fn element(name: &str, text: impl ToString) -> String {
    format!("<{name}>{}</{name}>", escape(&text.to_string()))
}

/// A document of S3: an element with others in it.
pub fn document(name: &str, inner: &str) -> String {
    let space = "http://s3.amazonaws.com/doc/2006-03-01/";
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"{space}\">{inner}</{name}>")
}

/// What stands within each element of a name, outermost ones alone.
pub fn inside<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (begin, end) = (format!("<{name}"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(place) = rest.find(&begin) {
        rest = &rest[place + begin.len()..];
        // Of another element, whose name is longer.
        if !rest.starts_with(['>', ' ', '/']) {
            continue;
        }
        let Some((attributes, behind)) = rest.split_once('>') else { break };
        if attributes.ends_with('/') {
            found.push("");
            rest = behind;
            continue;
        }
        let Some((inner, behind)) = behind.split_once(&end) else { break };
        found.push(inner);
        rest = behind;
    }
    found
}

/// The texts of all elements of a name.
pub fn texts(text: &str, name: &str) -> Vec<String> {
    inside(text, name).into_iter().map(unescape).collect()
}

#[test]
fn elements_are_found() {
    let text = "<A x=\"1\"><Key>a&amp;lt;b</Key><KeyCount>2</KeyCount><Key/><Key>c</Key></A>";
    assert_eq!(texts(text, "Key"), ["a&lt;b", "", "c"]);
    assert_eq!(texts(text, "KeyCount"), ["2"]);
    assert_eq!(inside(text, "B"), Vec::<&str>::new());
    assert_eq!(texts(&element("Key", "<'\"&>"), "Key"), ["<'\"&>"]);
}
