//! No file imports one that imports it back, over however many others: who reads one file must not have to read a
//! circle of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Module = Vec<String>;

/// The source files of the library, by the module that each is, without what stands in their tests.
fn modules() -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut modules = BTreeMap::new();
    let mut folders: Vec<(PathBuf, Module)> =
        vec![(root.join("src"), Vec::new()), (root.join("migrations"), vec!["migrations".to_owned()])];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let below = || module.iter().cloned().chain([name.clone()]).collect::<Module>();
            if path.is_dir() {
                folders.push((path.clone(), below()));
            } else if path.extension().is_some_and(|extension| extension == "rs") && name != "main" && name != "tests" {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let code: String = code
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .map(|l| format!("{l}\n"))
                    .collect();
                let is_folder = name == "mod" || name == "lib";
                modules.insert(if is_folder { module.clone() } else { below() }, code);
            }
        }
    }
    modules
}

/// The paths of a tree of imports: `a::{b, c::d}` has `a::b` and `a::c::d`.
fn paths_of(tree: &str) -> Vec<Vec<String>> {
    fn words(text: &str) -> impl Iterator<Item = String> {
        text.split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty())
    }
    let Some((head, inner)) = tree.split_once('{') else {
        return vec![words(tree.split(" as ").next().unwrap()).collect()];
    };
    let inner = &inner[..inner.rfind('}').unwrap()];
    let (mut paths, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (place, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = inner[begin..place].trim();
                begin = (place + 1).min(inner.len());
                if !branch.is_empty() {
                    paths.extend(paths_of(branch).into_iter().map(|path| words(head).chain(path).collect()));
                }
            }
            _ => {}
        }
    }
    paths
}

/// Where a path leads from a module; `None` where it leads to another crate.
fn resolved(module: &Module, path: &[String], modules: &BTreeMap<Module, String>) -> Option<Vec<String>> {
    let first = path.first()?;
    let supers = path.iter().take_while(|word| *word == "super").count();
    let child = || module.iter().chain([first]).cloned().collect::<Module>();
    match first.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some(module.iter().chain(&path[1..]).cloned().collect()),
        "super" => Some(module[..module.len().checked_sub(supers)?].iter().chain(&path[supers..]).cloned().collect()),
        _ if modules.contains_key(&child()) => Some(module.iter().chain(path).cloned().collect()),
        _ => None,
    }
}

/// Imports of each module, and what it hands on under a name of its own.
struct Imports {
    imports: BTreeMap<Module, Vec<Vec<String>>>,
    handed_on: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

fn imports(modules: &BTreeMap<Module, String>) -> Imports {
    let (mut imports, mut handed_on) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, BTreeMap<_, _>>::new());
    for (module, code) in modules {
        let mut statements = String::new();
        let mut rest = String::new();
        for part in code.split_inclusive(';') {
            let start = part.rfind("use ").filter(|start| {
                let before = part[..*start].rsplit('\n').next().unwrap().trim();
                before.is_empty() || before == "pub" || before.starts_with("pub(") && before.ends_with(')')
            });
            match start {
                Some(start) => {
                    let line = part[..start].rfind('\n').map_or(0, |end| end + 1);
                    rest.push_str(&part[..line]);
                    statements.push_str(&part[line..].replace('\n', " "));
                    statements.push('\n');
                }
                None => rest.push_str(part),
            }
        }
        for statement in statements.lines() {
            let (visibility, tree) = statement.split_once("use ").unwrap();
            for path in paths_of(tree.trim_end_matches(';')) {
                let Some(path) = resolved(module, &path, modules) else { continue };
                if visibility.trim().is_empty() {
                    imports.entry(module.clone()).or_default().push(path);
                } else {
                    handed_on.entry(module.clone()).or_default().insert(path.last().unwrap().clone(), path);
                }
            }
        }
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
        for word in rest.split(|letter| !is_word(letter)).filter(|word| word.contains("::")) {
            let path: Vec<String> = word.split("::").map(str::to_owned).collect();
            imports.entry(module.clone()).or_default().extend(resolved(module, &path, modules));
        }
    }
    Imports { imports, handed_on }
}

impl Imports {
    /// The file that has what a path names.
    fn file(&self, path: &[String], modules: &BTreeMap<Module, String>) -> Option<Module> {
        let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
        let module = path[..length].to_vec();
        let next = path.get(length).and_then(|name| self.handed_on.get(&module)?.get(name));
        match next {
            Some(next) => self.file(&next.iter().chain(&path[length + 1..]).cloned().collect::<Vec<_>>(), modules),
            None => Some(module),
        }
    }
}

/// Removes, again and again, what imports nothing that is left; what is left then are circles and those who import
/// them.
fn circles(graph: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Module> {
    let mut left: BTreeSet<Module> = graph.keys().cloned().collect();
    loop {
        let before = left.len();
        let kept = |module: &Module| graph[module].iter().any(|imported| left.contains(imported));
        left = left.iter().filter(|module| kept(module)).cloned().collect();
        if left.len() == before {
            return left;
        }
    }
}

fn graph(modules: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    let found = imports(modules);
    let of = |module: &Module| {
        let paths = found.imports.get(module).map_or(&[][..], Vec::as_slice).iter();
        let files = paths.filter_map(|path| found.file(path, modules));
        files.filter(|file| file != module && !file.is_empty()).collect()
    };
    modules.keys().map(|module| (module.clone(), of(module))).collect()
}

#[test]
fn no_file_imports_one_that_imports_it_back() {
    let modules = modules();
    let graph = graph(&modules);
    let edges: usize = graph.values().map(BTreeSet::len).sum();
    assert!(edges > 1_000, "the test has found only {edges} imports; does it still read them?");
    let circles: Vec<String> = circles(&graph).iter().map(|module| module.join("/")).collect();
    assert!(circles.is_empty(), "files that import each other, or import such: {}", circles.join(", "));
}

#[test]
fn a_circle_is_found() {
    let file = |name: &str, code: &str| (name.split('/').map(str::to_owned).collect::<Module>(), code.to_owned());
    let room = "mod one;\nmod other;\npub use other::{Other, Third as Fourth};\n";
    let one = "use crate::room::{Other, x::Y};\n";
    let modules = |other: &str| [file("room", room), file("room/one", one), file("room/other", other)].into();
    let left = |other: &str| circles(&graph(&modules(other))).len();
    assert_eq!(left("use std::fs;\n"), 0);
    assert_eq!(left("use super::one::One;\n"), 2);
    assert_eq!(left("pub(crate) fn f() { super::one::g() }\n"), 2);
    assert_eq!(left("use super::super::room::one::{\n    One,\n    Two,\n};\n"), 2);
}
