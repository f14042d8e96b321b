//! The import resolver of `build.rs`, apart from files, so that tests can try it.

use std::collections::BTreeSet;

/// A complete kernel text and where its lines come from.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// WGSL without imports.
    pub(crate) text: String,
    /// (first line in `text`, file, first line in that file)
    pub(crate) map: Vec<(usize, String, usize)>,
    lines: usize,
    seen: BTreeSet<String>,
}

/// Replaces every `#import <folder>/<file>` of kernel `name` by the text that `load` gives for it, the first time it appears.
///
/// # Errors
/// What `load` says about an unknown name, or a cycle, with the chain of imports that led there.
pub(crate) fn resolve(name: &str, load: &dyn Fn(&str) -> Result<String, String>) -> Result<Resolved, String> {
    let mut out = Resolved::default();
    include(name, load, &mut Vec::new(), &mut out)?;
    Ok(out)
}

fn include(
    name: &str,
    load: &dyn Fn(&str) -> Result<String, String>,
    chain: &mut Vec<String>,
    out: &mut Resolved,
) -> Result<(), String> {
    if chain.iter().any(|c| c == name) {
        return Err(format!("#import cycle: {} -> {name}", chain.join(" -> ")));
    }
    if !out.seen.insert(name.to_owned()) {
        return Ok(());
    }
    let text = load(name).map_err(|e| format!("#import {name}: {e}, imported by {}", chain.join(" -> ")))?;
    chain.push(name.to_owned());
    out.map.push((out.lines + 1, format!("{name}.wgsl"), 1));
    for (number, line) in text.lines().enumerate() {
        if let Some(target) = line.trim().strip_prefix("#import ") {
            include(target.trim().trim_end_matches(';'), load, chain, out)?;
            out.map.push((out.lines + 1, format!("{name}.wgsl"), number + 2));
        } else {
            out.text.push_str(line);
            out.text.push('\n');
            out.lines += 1;
        }
    }
    chain.pop();
    Ok(())
}
