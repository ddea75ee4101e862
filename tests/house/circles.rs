//! No circle of files within a crate: what a file names, directly or through others, never names it
//! back.
//!
//! A module's file and those of its children are the exception, in one direction: a parent is made
//! of its children, so it is taken to use each of them, and what a child takes from an ancestor
//! (`super::Thing`) does not count. A name that the ancestor only passes on counts as taken from
//! where it is defined. So two children may not name each other, and a child may not name a room
//! that names its parent.
//!
//! Read from the text: `use`, and every path that begins with `crate`, `super` or `self`. Not here:
//! test modules, which nothing depends on; crates, which Cargo keeps free of circles (`crates`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use crate::crates::packages;
use crate::files::{files, read, root};
use crate::sources::{code, none};

#[test]
fn files_name_each_other_in_one_direction() {
    let found: BTreeSet<String> =
        packages().iter().flat_map(|p| circles(&sources(&root().join(&p.folder)))).collect();
    none(
        found,
        "these name each other: put what both need into the lower one, or into its own file",
    );
}

#[test]
fn a_circle_is_what_the_header_says() {
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let named = |name: &str| name.split('/').map(str::to_owned).collect::<Names>();
        let files = files.iter().map(|(name, text)| (named(name), (*text).to_owned())).collect();
        let found: Vec<String> = circles(&files).into_iter().collect();
        assert_eq!(found, expected, "{files:?}");
    };
    check(&[("a", "use crate::b::{C, d as e};"), ("b", "fn f() {}")], &[]);
    check(&[("a", "use crate::b::C;"), ("b", "fn f(x: &crate::a::X) {} // crate::")], &["a, b"]);
    // A parent and its child; then two children.
    check(&[("a", "use b::C;"), ("a/b", "use super::X;")], &[]);
    let one = ("a/b", "use super::{c::{self, C}, X};");
    check(&[("a", ""), one, ("a/c", "use super::b;")], &["a/b, a/c"]);
    // Handed on by the parent.
    let other = ("a/c", "use super::B;");
    check(&[("a", "pub use b::B;"), ("a/b", "use super::c::C;"), other], &["a/b, a/c"]);
    // Through a child.
    check(&[("a", ""), ("a/b", "use crate::c::C;"), ("c", "use crate::a::A;")], &["a, a/b, c"]);
}

/// The names from a crate's root: `["plan", "clamps"]` is `plan/clamps.rs`.
type Names = Vec<String>;

struct Module {
    /// All paths into the crate that its code names.
    paths: Vec<Names>,
    /// What it imports, by the name it has here.
    imports: BTreeMap<String, Names>,
}

/// The code of each file of a crate but its tests.
fn sources(folder: &Path) -> BTreeMap<Names, String> {
    let folder = folder.join("src");
    let mut found = BTreeMap::new();
    for file in files(&folder).iter().filter(|file| file.extension().is_some_and(|e| e == "rs")) {
        let inside = file.strip_prefix(&folder).unwrap_or(file).with_extension("");
        let mut names: Names =
            inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        match names.last().map(String::as_str) {
            Some("tests") => continue,
            Some("lib" | "main" | "mod") => drop(names.pop()),
            _ => {}
        }
        found.insert(names, read(file));
    }
    found
}

/// The smallest circles, each as a list of files.
fn circles(sources: &BTreeMap<Names, String>) -> BTreeSet<String> {
    let modules: BTreeMap<&Names, Module> =
        sources.iter().map(|(names, text)| (names, module(names, text, sources))).collect();
    let graph = modules.keys().map(|module| (*module, uses(module, &modules))).collect();
    let found: Vec<BTreeSet<String>> = modules
        .keys()
        .filter_map(|module| shortest_circle(module, &graph))
        .map(|circle| circle.iter().map(|names| names.join("/")).collect())
        .collect();
    // A circle within a larger one says it shorter.
    let is_smallest = |circle: &&BTreeSet<String>| {
        !found.iter().any(|other| other.len() < circle.len() && other.is_subset(circle))
    };
    let listed = |circle: &BTreeSet<String>| circle.iter().cloned().collect::<Vec<_>>().join(", ");
    found.iter().filter(is_smallest).map(listed).collect()
}

fn module(names: &Names, text: &str, sources: &BTreeMap<Names, String>) -> Module {
    let code = code(text);
    let is_child = |name: &str| sources.contains_key(&[names, &[name.to_owned()][..]].concat());
    let mut module = Module { paths: Vec::new(), imports: BTreeMap::new() };
    for (at, _) in code.match_indices("::") {
        let begin = code[..at].rfind(|c| !is_name(c)).map_or(0, |last| last + 1);
        let first = &code[begin..at];
        let imported = code[..begin].trim_end().ends_with("use");
        let within_crate =
            ["crate", "super", "self"].contains(&first) || imported && is_child(first);
        if within_crate && !code[..begin].ends_with("::") {
            leaves(&code[begin..], names.clone(), &mut |name, path| {
                if imported {
                    module.imports.insert(name, path.clone());
                }
                module.paths.push(path);
            });
        }
    }
    module
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Gives each path of a tree such as `crate::a::{b::C, d as e, self}`, with the name it has in the
/// importing file. Answers where the tree ends.
fn leaves<'a>(text: &'a str, from: Names, found: &mut impl FnMut(String, Names)) -> &'a str {
    let (mut path, mut text) = (from, text.trim_start());
    loop {
        if let Some(mut rest) = text.strip_prefix('{') {
            loop {
                rest = leaves(rest, path.clone(), found).trim_start();
                match rest.strip_prefix(',') {
                    Some(more) if more.trim_start().starts_with('}') => rest = more.trim_start(),
                    Some(more) => rest = more,
                    None => return rest.strip_prefix('}').unwrap_or(rest),
                }
            }
        }
        let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        match name {
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" | "" => {}
            name => path.push(name.to_owned()),
        }
        text = rest;
        match rest.strip_prefix("::") {
            Some(more) => text = more.trim_start(),
            None => break,
        }
    }
    let alias = text.trim_start().strip_prefix("as ");
    let alias = alias.map(|text| text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len())));
    let name = alias.map(|(name, _)| name.to_owned()).or(path.last().cloned());
    found(name.unwrap_or_default(), path);
    alias.map_or(text, |(_, rest)| rest)
}

/// The files that a module's file depends on.
fn uses<'a>(module: &Names, modules: &BTreeMap<&'a Names, Module>) -> BTreeSet<&'a Names> {
    let mut used = BTreeSet::new();
    for path in &modules[module].paths {
        let mut path = path.clone();
        // A name may be handed on from file to file.
        for _ in 0..8 {
            let home =
                (0..=path.len()).rev().find_map(|n| modules.get_key_value(&path[..n].to_vec()));
            let Some((home, Module { imports, .. })) = home else { break };
            if !module.starts_with(home) {
                used.insert(*home);
            }
            let Some(origin) = path.get(home.len()).and_then(|name| imports.get(name)) else {
                break;
            };
            path = [origin, &path[home.len() + 1..]].concat();
        }
    }
    let is_child = |child: &Names| child.len() == module.len() + 1 && child.starts_with(module);
    used.extend(modules.keys().filter(|child| is_child(child)));
    used
}

fn shortest_circle<'a>(
    start: &'a Names,
    graph: &BTreeMap<&'a Names, BTreeSet<&'a Names>>,
) -> Option<Vec<&'a Names>> {
    let mut came_from = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for next in &graph[at] {
            if *next == start {
                let before = |at: &&'a Names| came_from.get(at).copied();
                return Some(std::iter::successors(Some(at), before).collect());
            }
            if !came_from.contains_key(next) {
                came_from.insert(*next, at);
                open.push_back(next);
            }
        }
    }
    None
}
