//! `frameloom sync fix`: measure, put right, measure again.

use std::path::Path;
use std::time::Instant;

use frameloom::store::OsIo;
use frameloom::workflows::sync::run::{SyncModels, SyncOutcome};
use frameloom::workflows::sync::{RepairOptions, SyncRepair, SyncVerdict, repair};
use frameloom::{Error, Result};
use serde_json::json;

use super::{Shop, named_after, say, sentence};
use crate::args::Global;
use crate::output::{Output, printable};
use crate::progress::Mode;
use crate::signals::Signals;
use crate::sync_args::{FixArgs, FixMethodArg};

/// Largest offset that may be left, in milliseconds.
const RESIDUAL_MS: f64 = 40.0;

pub(super) fn run(global: &Global, args: &FixArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config = args.settings.resolve()?;
    out.event(
        "start",
        json!({ "command": "sync fix", "input": args.input.to_string_lossy(), "offset_ms": args.offset_ms, "settings": config }),
    );
    let output =
        args.output.clone().unwrap_or_else(|| named_after(&args.input, &format!(".fixed.{}", kind(&args.input))));
    if same_file(&args.input, &output) {
        return Err(Error::usage(format!("`{}` is the input itself: choose another output", output.display())));
    }
    let limits = args.work.decode.limits()?;
    let measured = args.offset_ms.is_none() || !args.no_check;
    let shop = if measured { Some(Shop::new(global, config, &args.work, out, signals)?) } else { None };
    let mut models = shop.as_ref().map(|s| s.files.load(&s.ctx, None)).transpose()?;
    let (plan, zero) = match (args.offset_ms, &shop, &mut models) {
        // All of the sound moves: where time 0 is does not matter.
        (Some(ms), _, _) => (constant(ms / 1e3, args.method)?, 0.0),
        (None, Some(shop), Some(models)) => {
            let folder = beside(args, &output).join(named_after(&args.input, ".sync"));
            let before = measure(shop, models, (&args.input, &folder), shop.restart, out, mode)?;
            planned(&before, args.method)?
        }
        _ => return Err(Error::Bug("nothing to measure with".into())),
    };
    if let Some(parent) = output.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|e| Error::storage("create", parent, e))?;
    }
    let (audio_track, cancel) = (args.work.audio_track, signals.cancel.clone());
    let options = RepairOptions { audio_track, zero, limits, cancel };
    let done = repair(&OsIo, &args.input, &output, &plan, &options)?;
    for left in &done.left_out {
        out.warn(&format!("left out, the container cannot hold it: {left}"));
    }
    match &plan {
        SyncRepair::Shift { micros } => {
            out.note(&format!("the sound moves by {:+.1} ms; all packets are as they were", *micros as f64 / 1e3));
        }
        SyncRepair::Piecewise { stretches } => {
            out.note(&format!("the sound is made anew in {} stretches; the picture is as it was", stretches.len()));
        }
    }
    let after = match (&shop, &mut models) {
        (Some(shop), Some(models)) if !args.no_check => {
            let mut name = output.file_name().unwrap_or_default().to_os_string();
            name.push(".sync");
            // With its extension: the output may have the stem of the input.
            let folder = beside(args, &output).join(name);
            // The file is new: what was found in an older one of its name is worth nothing.
            Some(measure(shop, models, (&output, &folder), true, out, mode)?)
        }
        _ => None,
    };
    let residual = after.as_ref().and_then(|a| a.audio_late_ms);
    let good = residual.is_none_or(|ms| ms.abs() <= RESIDUAL_MS);
    let code = if good { 0 } else { 3 };
    if let Some(ms) = residual.filter(|_| !good) {
        out.warn(&format!("{ms:+.0} ms are left, more than {RESIDUAL_MS:.0}: look at the report"));
    }
    out.text(&printable(&output.to_string_lossy()));
    out.event(
        "result",
        json!({
            "input": args.input.to_string_lossy(), "output": output.to_string_lossy(), "bytes": done.bytes,
            "packets_copied": done.packets, "left_out": done.left_out, "repair": plan, "residual_ms": residual, "exit": code,
        }),
    );
    Ok(code)
}

/// MP4 for what comes from one of its family, Matroska for all else.
fn kind(input: &Path) -> &'static str {
    let extension = input.extension().map(|e| e.to_string_lossy().to_lowercase());
    if matches!(extension.as_deref(), Some("mp4" | "mov" | "m4v")) { "mp4" } else { "mkv" }
}

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

/// Where the analyses go.
fn beside<'a>(args: &'a FixArgs, output: &'a Path) -> &'a Path {
    args.analysis.as_deref().or(output.parent()).unwrap_or(Path::new(""))
}

fn measure(
    shop: &Shop,
    models: &mut SyncModels,
    (input, folder): (&Path, &Path),
    restart: bool,
    out: &mut Output,
    mode: Mode,
) -> Result<SyncOutcome> {
    let started = Instant::now();
    let outcome = shop.analyse(models, (input, folder), restart, out, mode)?;
    say(input, folder, &outcome, started.elapsed().as_secs_f64(), shop.verbose, out)?;
    Ok(outcome)
}

/// For an offset that the user names.
fn constant(late: f64, method: FixMethodArg) -> Result<SyncRepair> {
    if !late.is_finite() || late.abs() > 3600.0 {
        return Err(Error::usage(format!("`--offset-ms` must be within an hour, got {}", late * 1e3)));
    }
    if method == FixMethodArg::Piecewise {
        return Err(Error::usage("`--method piecewise` goes by what is measured; leave `--offset-ms` out"));
    }
    Ok(SyncRepair::shift(late))
}

/// For what was measured; with time 0 of the plan on the container's clock, which is that of the analysis: where a stream says that it starts there
/// may be no frame that can be decoded.
fn planned(o: &SyncOutcome, method: FixMethodArg) -> Result<(SyncRepair, f64)> {
    let late = o.audio_late_ms.filter(|_| o.verdict != SyncVerdict::CannotTell).ok_or_else(|| Error::Usage {
        message: format!("it is not known how far the sound is off ({}), so nothing is changed", sentence(o)),
        hint: Some("say it with `--offset-ms`, or accept less with `--min-probability`".into()),
    })?;
    let uneven = o.drift_ppm.is_some() || !o.jumps.is_empty();
    let plan = match method {
        FixMethodArg::Shift => SyncRepair::shift(late / 1e3),
        FixMethodArg::Auto if !uneven => SyncRepair::shift(late / 1e3),
        FixMethodArg::Auto | FixMethodArg::Piecewise if !o.segments.is_empty() => {
            SyncRepair::piecewise(&o.segments, &o.jumps, o.drift_ppm.unwrap_or(0.0))?
        }
        FixMethodArg::Auto | FixMethodArg::Piecewise => SyncRepair::shift(late / 1e3),
    };
    Ok((plan, o.first_frame_seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_placed_from_the_first_frame_that_was_analysed() {
        // As it is kept in a journal.
        let segment = |from: f64, to: f64, late: f64| json!({ "from": from, "to": to, "offset_from": late, "offset_to": late, "points": 9 });
        let kept = json!({
            "verdict": "audio_late", "verdict_reasons": [], "audio_late_ms": 100.0, "probability": 0.9, "drift_ppm": null,
            "first_frame_seconds": 1.48, "jumps": [{ "seconds": 10.0, "by": 0.2 }],
            "segments": [segment(1.0, 9.0, 0.1), segment(11.0, 19.0, 0.3)], "frames": 500, "seconds": 20.0, "tracks": 1, "persons": 1,
            "chunks": 1, "accepted": 1, "reasons": [], "notes": [],
        });
        let outcome: SyncOutcome = serde_json::from_value(kept.clone()).unwrap();
        assert_eq!(serde_json::to_value(&outcome).unwrap(), kept, "it is kept whole");
        let (plan, zero) = planned(&outcome, FixMethodArg::Auto).unwrap();
        assert_eq!(zero.to_bits(), 1.48f64.to_bits());
        let SyncRepair::Piecewise { stretches } = plan else { panic!("{plan:?}") };
        assert_eq!(stretches.iter().map(|s| s.to).collect::<Vec<_>>(), [10.0, f64::INFINITY]);
        assert!(matches!(planned(&outcome, FixMethodArg::Shift).unwrap(), (SyncRepair::Shift { micros: -100_000 }, _)));
    }
}
