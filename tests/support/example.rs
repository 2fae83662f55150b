// What the examples in the documentation of the library begin with: each includes this file.

/// A temporary folder with `input/`: actions of 2026-01-01, and an impression list of 2026-01-02.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join("input").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let clicks = "customer_id,item_id,click_time\n7,11,2026-01-01T08:00:00Z\n7,12,2026-01-01T09:30:00Z\n";
    write("clicks/dt=2026-01-01/clicks.csv", clicks);
    let shown = r#"{"ranking_id":"a","customer_id":7,"impressions":[{"item_id":12,"is_order":1},{"item_id":13}]}"#;
    write("impressions/dt=2026-01-02/shown.jsonl", shown);
    folder
}
