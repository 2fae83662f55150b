//! A page as a real browser shows it: Chromium without a screen.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Whether the person prefers light or dark pages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    Dark,
    Light,
}

/// Opens a page in a window of a width, reads it by `probe.js`, and gives what that found: the values of its tables and
/// figures, and what is wrong with its layout.
///
/// The page stands in a frame, since a browser's own window cannot be as narrow as that of a telephone. It is left as
/// it is, but for the line that forbids scripts, and the probe behind its end.
pub fn probe(html: &Path, width: u32, scheme: Scheme) -> Value {
    let page = fs::read_to_string(html).unwrap();
    let policy =
        r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"#;
    assert_eq!(page.matches(policy).count(), 1, "the page forbids scripts and any load");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("page.html", &(page.replace(policy, "") + "<script>" + include_str!("probe.js") + "</script>"));
    write(
        "frame.html",
        &format!(
            "<!DOCTYPE html><style>body {{ margin: 0 }}</style><iframe src='page.html' style='border: 0; width: {width}px; height: 5000px'></iframe><pre \
             id='probe'></pre><script>onmessage = (message) => {{ document.getElementById('probe').textContent = message.data }}</script>"
        ),
    );
    let name = std::env::var("LOOKBACK_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let scheme = if scheme == Scheme::Dark { 0 } else { 1 };
    let output = Command::new(&name)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
        .args(["--no-first-run", "--disable-extensions", "--disable-background-networking", "--window-size=1400,1000"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .args(["--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("file://{}", folder.path().join("frame.html").display()))
        .output()
        .unwrap_or_else(|error| {
            panic!("this test needs a Chromium, as {name} or named by LOOKBACK_CHROMIUM ({error}): run tools/test")
        });
    let dom = String::from_utf8_lossy(&output.stdout);
    let found = dom.split_once("<pre id=\"probe\">").and_then(|(_, behind)| behind.split_once("</pre>"));
    let (json, _) = found.unwrap_or_else(|| panic!("{dom}\n{}", String::from_utf8_lossy(&output.stderr)));
    let json = json.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&");
    serde_json::from_str(&json)
        .unwrap_or_else(|error| panic!("{error}: {json}\n{}", String::from_utf8_lossy(&output.stderr)))
}
