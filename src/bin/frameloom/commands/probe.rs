//! `frameloom probe`: what a container declares, as JSON.

use frameloom::media::probe;
use frameloom::{Error, Result};
use serde_json::json;

use crate::args::{Global, ProbeArgs};
use crate::output::{Output, error_json, limits_from};

pub(crate) fn run(_global: &Global, args: &ProbeArgs, out: &mut Output) -> Result<u8> {
    let limits = limits_from(&args.limits)?;
    let inputs: Vec<_> = args.inputs.iter().chain(&args.input_flag).collect();
    out.event("start", json!({ "command": "probe", "inputs": inputs.len() }));
    let mut failed: Vec<Error> = Vec::new();
    for path in inputs.iter().copied() {
        match probe(path, &limits) {
            Ok(info) => {
                let value = serde_json::to_value(&info).map_err(|e| Error::Bug(e.to_string()))?;
                let text = serde_json::to_string_pretty(&value).map_err(|e| Error::Bug(e.to_string()))?;
                out.text(&text);
                out.event("item", json!({ "input": path.to_string_lossy(), "info": value }));
            }
            Err(e) if inputs.len() == 1 => return Err(e),
            Err(e) => {
                out.warn(&e.to_string());
                out.event("item", json!({ "input": path.to_string_lossy(), "error": error_json(&e) }));
                failed.push(e);
            }
        }
    }
    let count = failed.len();
    if count == inputs.len()
        && let Some(first) = failed.into_iter().next()
    {
        return Err(first);
    }
    let code = if count > 0 { 3 } else { 0 };
    out.event("result", json!({ "inputs": inputs.len(), "failed": count, "exit": code }));
    Ok(code)
}
