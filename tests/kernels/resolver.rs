//! The import resolver of the build script.

use super::resolve::resolve;
use std::collections::HashMap;

fn run(files: &[(&'static str, &'static str)], name: &str) -> Result<super::resolve::Resolved, String> {
    let files: HashMap<_, _> = files.iter().copied().collect();
    resolve(name, &|n: &str| files.get(n).map(|t| (*t).to_owned()).ok_or_else(|| "no such file".to_owned()))
}

#[test]
fn a_file_is_inserted_once_at_its_first_import() {
    let files = [
        ("a", "// a\n#import common/b\n#import common/c\nend_a\n"),
        ("common/b", "#import common/c\nb\n"),
        ("common/c", "c1\nc2\n"),
    ];
    let out = run(&files, "a").unwrap();
    assert_eq!(out.text, "// a\nc1\nc2\nb\nend_a\n");
    // Line n of the text comes from the last run that begins at or before it.
    let origin = |line| {
        let (first, file, start) = out.map.iter().rev().find(|(first, ..)| *first <= line).unwrap();
        format!("{file}:{}", start + line - first)
    };
    let origins: Vec<String> = (1..=5).map(origin).collect();
    assert_eq!(origins, ["a.wgsl:1", "common/c.wgsl:1", "common/c.wgsl:2", "common/b.wgsl:2", "a.wgsl:4"]);
}

#[test]
fn an_unknown_name_fails_with_the_chain() {
    let message = run(&[("a", "#import common/b"), ("common/b", "#import common/nothing")], "a").unwrap_err();
    assert!(message.contains("common/nothing: no such file, imported by a -> common/b"), "{message}");
}

#[test]
fn a_cycle_fails_with_the_chain() {
    let message = run(&[("a", "#import b"), ("b", "#import c"), ("c", "#import b")], "a").unwrap_err();
    assert_eq!(message, "#import cycle: a -> b -> c -> b");
    assert!(run(&[("a", "#import a")], "a").unwrap_err().contains("a -> a"));
}
