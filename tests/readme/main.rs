//! The README and its neighbours say what the program says: the table of operations, the exit codes, the links.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Standard output of the command.
fn frameloom(args: &[&str]) -> String {
    #[allow(clippy::disallowed_methods, reason = "the program under test")]
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_frameloom")).args(args).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// What stands between two marker lines, of which there is exactly one each.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    assert_eq!((text.matches(from).count(), text.matches(to).count()), (1, 1), "{from} {to}");
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0.trim_start_matches('\n')
}

#[test]
fn the_table_of_operations_is_the_one_of_the_program() {
    let page = read("docs/operations.md");
    let table = between(&page, "<!-- ops -->", "<!-- /ops -->");
    let wanted = frameloom(&["ops", "--markdown"]);
    assert_eq!(wanted.lines().count(), frameloom::ops::OPS.len() + 2, "a row an operation, and two of head");
    assert!(table == wanted, "paste the output of `frameloom ops --markdown` into docs/operations.md:\n{wanted}");
}

/// A build without networks has no `sync`.
#[cfg(feature = "onnx")]
#[test]
fn the_reference_of_settings_is_the_one_of_the_program() {
    let page = read("docs/configuration.md");
    let text = between(&page, "<!-- reference -->", "<!-- /reference -->");
    let wanted = frameloom(&["config", "reference"]);
    assert!(wanted.matches("\n## ").count() >= 9, "a section a workflow");
    assert!(
        text == wanted,
        "put the output of `frameloom config reference` between the marks in docs/configuration.md"
    );
}

/// Numbers at the beginning of an entry: `130/143/141 signal` and `130, 143, 141` give three.
fn codes(text: &str) -> impl Iterator<Item = u32> {
    let head: String = text.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '/' | ',' | ' ')).collect();
    head.split(['/', ',', ' ']).filter_map(|n| n.parse().ok()).collect::<Vec<u32>>().into_iter()
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = frameloom(&["--help"]);
    let (_, listed) = help.split_once("Exit codes:\n").unwrap();
    let of_help: BTreeSet<u32> = listed.split("  ").flat_map(|part| part.split(", ")).flat_map(codes).collect();
    let page = read("docs/troubleshooting.md");
    let rows = between(&page, "## Exit codes\n", "## Error codes\n");
    let of_page: BTreeSet<u32> = rows
        .lines()
        .filter_map(|l| l.strip_prefix("| "))
        .filter_map(|l| l.split(" | ").next())
        .flat_map(codes)
        .collect();
    assert!(of_help.len() > 10, "{of_help:?}");
    assert_eq!(of_help, of_page);
}

/// The pages of the book.
fn pages() -> Vec<String> {
    let files = std::fs::read_dir(root().join("docs")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    files.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect()
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let mut links = 0;
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(String::from);
    for name in top.into_iter().chain(pages()) {
        let folder = root().join(&name).parent().unwrap().to_path_buf();
        let text = read(&name);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(t, _)| t)) {
            if !target.starts_with("https://") && !target.starts_with('#') {
                let file = target.split('#').next().unwrap();
                assert!(Path::new(&folder).join(file).is_file(), "{name} links to {target}");
                links += 1;
            }
        }
    }
    assert!(links > 30, "{links} links found");
}

#[test]
fn every_example_has_a_row_in_order_and_the_features_it_needs() {
    let (readme, manifest) = (read("README.md"), read("Cargo.toml"));
    let mut names: Vec<String> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .map(|p| p.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let rows: Vec<&str> = readme.lines().filter(|l| l.contains("](examples/")).collect();
    assert_eq!(rows.len(), names.len(), "{names:?}");
    for (name, row) in names.iter().zip(rows) {
        assert!(row.starts_with(&format!("| [`{name}`](examples/{name}.rs) |")), "{name} is not in its place: {row}");
        let (_, entry) = manifest.split_once(&format!("name = \"{name}\"")).unwrap();
        let needs = entry.split("\n\n").next().unwrap();
        let told = row.rsplit('|').nth(1).unwrap().trim();
        let wanted = needs.split('"').skip(1).step_by(2).map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ");
        assert_eq!(told, if wanted.is_empty() { "none" } else { &wanted }, "{name}");
    }
}

#[test]
fn every_page_is_in_the_book() {
    let summary = read("docs/SUMMARY.md");
    for page in pages() {
        let name = page.trim_start_matches("docs/");
        assert!(name == "SUMMARY.md" || summary.contains(&format!("]({name})")), "{name} is not in docs/SUMMARY.md");
    }
}

/// Each code that an error can have has a row with a cure, and no row is left over.
#[test]
fn every_error_code_has_a_cure() {
    let source = read("src/error.rs");
    let body = between(&source, "pub fn code(&self) -> &'static str {", "/// Process exit code;");
    let mut of_source: BTreeSet<String> = body.split('"').skip(1).step_by(2).map(String::from).collect();
    let worker = read("src/error/worker.rs");
    of_source.extend(worker.split('"').filter(|word| word.starts_with("decode-worker-")).map(String::from));
    let page = read("docs/troubleshooting.md");
    let rows = between(&page, "## Error codes\n", "## What people ask\n");
    let cells = rows.lines().filter_map(|l| l.strip_prefix("| `")).filter_map(|l| l.split(" | ").next());
    let of_page: BTreeSet<String> =
        cells.flat_map(|cell| cell.split(['`', ',', ' ']).filter(|w| !w.is_empty())).map(String::from).collect();
    assert!(of_source.len() > 20, "{of_source:?}");
    assert_eq!(of_source, of_page);
}

/// Paths in backticks that look like files of this repository exist; `<family>/<op>` and the like are patterns.
#[test]
fn files_named_in_the_architecture_exist() {
    let text = read("ARCHITECTURE.md");
    let mut named = 0;
    for path in text.split('`').skip(1).step_by(2) {
        let ours =
            ["src/", "kernels/", "tests/", "scripts/", "benches/", "examples/"].iter().any(|p| path.starts_with(p));
        if ours && !path.contains(['<', '*', ' ', '{']) {
            assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}");
            named += 1;
        }
    }
    assert!(named > 10, "{named} files named");
}

/// Each stand-in that the script writes has a row that says what to put in its place, and no row is left over.
#[test]
fn every_stand_in_has_a_row() {
    let script = read("scripts/zoo/stand_ins.py");
    let written: BTreeSet<String> = script
        .lines()
        .filter_map(|l| l.trim_start().strip_prefix("yield \""))
        .filter_map(|l| l.split('"').next())
        .map(|name| format!("{}.onnx", name.replace(['-', '.'], "_")))
        .collect();
    let page = read("docs/models.md");
    let rows = between(&page, "| stand-in (`models/FILE`) |", "**No telemetry.**");
    let listed: BTreeSet<String> = rows
        .lines()
        .filter_map(|l| l.strip_prefix("| `"))
        .filter_map(|l| l.split(" | ").next())
        .flat_map(|cell| cell.split([',', '`', ' ']).filter(|w| w.ends_with(".onnx")).map(str::to_owned))
        .collect();
    assert!(written.len() > 10, "{written:?}");
    assert_eq!(written, listed);
}
