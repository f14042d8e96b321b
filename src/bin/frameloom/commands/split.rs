//! `frameloom split`: a video in pieces, by time or by silence.

use std::path::PathBuf;

use frameloom::Result;
use frameloom::media::Status;
use frameloom::store::OsIo;
use frameloom::workflows::sync::{CutOptions, SilenceOptions, SplitBy, SplitConfig, Tails, split};
use serde_json::json;

use crate::args_sync::{SplitArgs, SplitCommand, SplitCommon, SplitSilenceArgs, SplitTimeArgs};
use crate::output::{Output, limits_from, printable};
use crate::progress::{Mode, Progress};
use crate::signals::Signals;

pub(crate) fn run(args: &SplitArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    match &args.command {
        SplitCommand::Time(a) => time(a, out, signals, mode),
        SplitCommand::Silence(a) => silence(a, out, signals, mode),
    }
}

pub(crate) fn time(args: &SplitTimeArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let by = SplitBy::Time { chunk_duration: args.duration, overlap: args.overlap };
    pieces(&args.common, by, out, signals, mode)
}

pub(crate) fn silence(args: &SplitSilenceArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let silence = SilenceOptions { threshold_db: args.threshold, min_silence: args.min_silence };
    pieces(&args.common, SplitBy::Silence { silence, min_chunk: args.min_chunk }, out, signals, mode)
}

fn pieces(args: &SplitCommon, by: SplitBy, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let input = args.input.path()?;
    let stem = input.file_stem().unwrap_or(input.as_os_str());
    let folder = args.output.clone().unwrap_or_else(|| PathBuf::from(stem).with_added_extension("chunks"));
    let usual = CutOptions::default();
    let config = SplitConfig {
        by,
        tails: if args.parity { Tails::Drop } else { Tails::Keep },
        copy: args.copy,
        wav: args.wav,
        cut: CutOptions {
            track: args.track,
            audio_track: args.audio_track,
            crf: args.crf,
            threads: args.threads.unwrap_or(usual.threads),
            limits: limits_from(&args.limits)?,
            cancel: signals.cancel.clone(),
        },
    };
    out.event(
        "start",
        json!({ "command": "split", "inputs": 1, "settings": by, "tails": config.tails, "copy": args.copy }),
    );
    let label = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy().into_owned();
    let mut bar = Progress::new(mode, &label, None);
    let done = split(&OsIo, input, &folder, &config, &mut bar.counting(out))?;
    bar.finish();
    let mut empty = 0;
    for chunk in &done.chunks {
        out.event("item", json!({ "chunk": chunk }));
        let Some(path) = &chunk.video_path else {
            empty += 1;
            let reason =
                if args.copy { "no key frame of its own: the piece before holds it" } else { "no frame lies in it" };
            out.warn(&format!("piece {} ({:.3} s) has no file: {reason}", chunk.chunk_index, chunk.wanted_start));
            continue;
        };
        if args.copy {
            let (a, b) = (chunk.start - chunk.wanted_start, chunk.end - chunk.wanted_end);
            out.note(&format!("{}: start moved by {a:+.3} s, end by {b:+.3} s", path.display()));
            if chunk.frames_left_out > 0 {
                out.warn(&format!(
                    "{}: {} frames before its key frame left out",
                    path.display(),
                    chunk.frames_left_out
                ));
            }
        }
        out.text(&printable(&folder.join(path).to_string_lossy()));
    }
    for reason in &done.source_reasons {
        out.note(&format!("  {reason}"));
    }
    if done.kept > 0 {
        out.note(&format!("{} of {} pieces were there already", done.kept, done.total_chunks));
    }
    let code = if done.source_status == Some(Status::Partial) { 3 } else { 0 };
    out.event(
        "result",
        json!({
            "input": input.to_string_lossy(), "folder": folder.to_string_lossy(), "total_chunks": done.total_chunks, "empty": empty,
            "frames_read": done.frames_read, "kept": done.kept, "silences": done.silences, "source_status": done.source_status, "exit": code,
        }),
    );
    Ok(code)
}
