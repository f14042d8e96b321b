//! `frameloom audio`: audio tracks as WAV files.

use std::path::{Path, PathBuf};

use frameloom::media::{AudioOptions, SampleFormat, extract_wav_in};
use frameloom::store::{OsIo, StoreIo};
use frameloom::{Error, Result};
use serde_json::json;

use crate::args_sync::{AudioArgs, AudioCommand, ExtractArgs};
use crate::output::{Output, limits_from, printable};

pub(crate) fn run(args: &AudioArgs, out: &mut Output) -> Result<u8> {
    match &args.command {
        AudioCommand::Extract(a) => extract(a, out),
    }
}

pub(crate) fn extract(args: &ExtractArgs, out: &mut Output) -> Result<u8> {
    let input = args.input.path()?;
    let stem = input.file_stem().unwrap_or(input.as_os_str());
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(stem).with_added_extension("wav"));
    let options = AudioOptions {
        track: args.audio_track,
        rate: args.rate,
        channels: args.channels,
        limits: limits_from(&args.limits)?,
        ..AudioOptions::default()
    };
    let settings =
        json!({ "rate": args.rate, "channels": args.channels, "audio_track": args.audio_track, "float": args.float });
    out.event("start", json!({ "command": "audio extract", "inputs": 1, "settings": settings }));
    if let Some(folder) = output.parent().filter(|p| !p.as_os_str().is_empty() && *p != Path::new(".")) {
        OsIo.create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
    }
    let format = if args.float { SampleFormat::F32 } else { SampleFormat::I16 };
    let done = extract_wav_in(&OsIo, input, &output, &options, format)?;
    let seconds = done.samples as f64 / f64::from(args.rate);
    let start = done.start as f64 / f64::from(args.rate);
    out.event(
        "result",
        json!({
            "input": input.to_string_lossy(), "output": output.to_string_lossy(), "seconds": seconds, "start_seconds": start,
            "samples": done.samples, "bytes": done.bytes, "gaps": done.gaps.len(), "damaged": done.damaged,
            "exit": if done.damaged > 0 { 3 } else { 0 },
        }),
    );
    out.note(&format!(
        "{seconds:.3} s from {start:.3} s on, {} gaps filled, {} damaged places",
        done.gaps.len(),
        done.damaged
    ));
    out.text(&printable(&output.to_string_lossy()));
    Ok(if done.damaged > 0 { 3 } else { 0 })
}
