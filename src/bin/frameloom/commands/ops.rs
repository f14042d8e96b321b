//! `frameloom ops`: the catalogue.

use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::ops::{OPS, OpInfo, find};
use frameloom::{Error, Result};
use serde_json::{Value, json};

use super::config::cell;
use crate::args::OpsArgs;
use crate::output::Output;

/// Work is stated for one frame of this size.
const SIZE: Size = Size::new(1920, 1080);

fn as_json(op: &OpInfo) -> Value {
    let work = layout_for(op).map(|l| (op.work)(&l)).unwrap_or_default();
    json!({
        "name": op.name, "summary": op.summary, "input": op.input, "output": op.output, "border": op.border,
        "exactness": op.exactness.to_string(), "reason": op.reason, "source": op.source,
        "params": op.params.iter().map(|p| json!({ "name": p.name, "range": p.range, "meaning": p.meaning })).collect::<Vec<_>>(),
        "work_1080p": { "bytes_read": work.bytes_read, "bytes_written": work.bytes_written, "ops": work.ops },
    })
}

fn layout_for(op: &OpInfo) -> Option<FrameLayout> {
    let rgb = op.name.ends_with("_from_rgb");
    FrameLayout::of(if rgb { PixelFormat::Rgba8 } else { PixelFormat::Nv12 }, SIZE)
}

pub(crate) fn run(args: &OpsArgs, out: &mut Output) -> Result<u8> {
    out.event("start", json!({ "command": "ops" }));
    if let Some(name) = &args.name {
        let op = find(name).ok_or_else(|| Error::Usage {
            message: format!("there is no operation `{name}`"),
            hint: Some(format!("the operations are {}", OPS.iter().map(|o| o.name).collect::<Vec<_>>().join(", "))),
        })?;
        one(op, out);
        out.event("result", as_json(op));
        return Ok(0);
    }
    if args.markdown {
        for line in markdown().lines() {
            out.text(line);
        }
    } else {
        out.text(&format!("{:<24} {:<8} {:>10} {:>10}  {}", "operation", "exact", "MB in", "MB out", "what it does"));
        for op in OPS {
            let work = layout_for(op).map(|l| (op.work)(&l)).unwrap_or_default();
            let mb = |bytes: u64| format!("{:.2}", bytes as f64 / 1e6);
            let (read, written) = (mb(work.bytes_read), mb(work.bytes_written));
            out.text(&format!(
                "{:<24} {:<8} {read:>10} {written:>10}  {}",
                op.name,
                op.exactness.to_string(),
                op.summary
            ));
        }
        out.text("MB: least traffic of one 1080p frame, NV12 or RGBA. `frameloom ops NAME` shows one in full.");
    }
    for op in OPS {
        out.event("item", as_json(op));
    }
    out.event("result", json!({ "operations": OPS.len() }));
    Ok(0)
}

/// The table of docs/operations.md.
fn markdown() -> String {
    let mut text = String::from("| operation | what it does | output | exactness |\n|---|---|---|---|\n");
    for op in OPS {
        let [summary, output, reason] = [op.summary, op.output, op.reason].map(cell);
        text.push_str(&format!("| `{}` | {summary} | {output} | {}: {reason} |\n", op.name, op.exactness));
    }
    text
}

fn one(op: &OpInfo, out: &mut Output) {
    out.text(&format!("{}: {}", op.name, op.summary));
    for (key, value) in [
        ("input", op.input),
        ("output", op.output),
        ("border", op.border),
        ("source", op.source),
        ("exactness", &format!("{} ({})", op.exactness, op.reason)),
    ] {
        out.text(&format!("  {key:<10} {value}"));
    }
    for p in op.params {
        out.text(&format!("  parameter  {}: {} ({})", p.name, p.meaning, p.range));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_has_four_cells() {
        let text = markdown();
        assert!(text.contains("min(\\|L\\|, 255)"), "{text}");
        for line in text.lines() {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 5, "{line}");
        }
    }
}
