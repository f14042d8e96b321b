//! The report page.

use super::super::lip_motion::SyncVerdict;
use super::SyncOutcome;
use super::outputs::{Finished, band};
use super::summary::VideoSummary;
use super::tell::{Told, TrackTold};
use crate::report::{HtmlTable, ImageItem, LinePlot, Note, Page, Tile, Tone};

/// Rows of the table of tracks.
const ROWS: usize = 40;
/// Lines between windows further apart than so many steps are broken.
const STEPS: f64 = 2.5;

/// Builds the page.
pub(super) fn page(f: &Finished<'_>, outcome: &SyncOutcome, summary: &VideoSummary) -> Page {
    let (tone, text) = headline(outcome);
    let name = f.video.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut page = Page::new(name).subtitle(subtitle(f)).badge(tone, text).tiles(tiles(f, outcome, summary));
    let notes: Vec<Note> = outcome
        .verdict_reasons
        .iter()
        .chain(&outcome.reasons)
        .map(|t| Note::new(Tone::Warn, t))
        .chain(outcome.notes.iter().map(|t| Note::new(Tone::Neutral, t)))
        .collect();
    if !notes.is_empty() {
        page = page.notes(notes);
    }
    if f.results.tracks.iter().any(|t| t.windows.iter().any(|w| !w.estimate.curve.is_empty())) {
        page = page
            .section("Offset over time")
            .text(
                "Milliseconds that the sound is late, window by window, of whoever speaks; below zero it is early. The thin lines enclose \
                 the shifts that fit nearly as well.",
            )
            .plot(offsets(f, outcome))
            .plot(probabilities(f));
    }
    if !f.results.speech.is_empty() {
        page = page
            .section("Who speaks")
            .text("A line for each person whose lips follow the sound. At -1: sound, and no face in the picture that clearly goes with it.")
            .plot(speakers(f));
    }
    if !f.results.persons.is_empty() {
        page = page.section("Persons").images(faces(f)).table(persons(f));
    }
    page = page.section("Tracks").table(tracks(f));
    if !summary.results.is_empty() {
        page = page.section("Chunks").table(chunks(summary));
    }
    let networks: Vec<String> = f.networks.iter().map(|(name, hash)| format!("{name} {:.12}", hash)).collect();
    page.footer("frameloom", env!("CARGO_PKG_VERSION"))
        .footer("adapter", format!("{} [{}], {}", f.adapter.name, f.adapter.kind, f.adapter.driver))
        .footer("estimator", f.estimator.name())
        .footer("probability", f.estimator.calibration())
        .footer("networks", networks.join(", "))
}

fn headline(o: &SyncOutcome) -> (Tone, String) {
    let ms = o.audio_late_ms.unwrap_or(0.0);
    match o.verdict {
        // One word for stretches that differ would be wrong for most of them.
        _ if !o.jumps.is_empty() => (Tone::Warn, "the offset changes".into()),
        SyncVerdict::InSync => (Tone::Good, "in sync".into()),
        SyncVerdict::AudioLate => (Tone::Bad, format!("audio late by {ms:.0} ms")),
        SyncVerdict::AudioEarly => (Tone::Bad, format!("audio early by {:.0} ms", -ms)),
        SyncVerdict::CannotTell => (Tone::Warn, "cannot tell".into()),
    }
}

fn subtitle(f: &Finished<'_>) -> String {
    let minutes = (f.results.seconds / 60.0).floor();
    let rest = f.results.seconds - minutes * 60.0;
    format!(
        "{minutes:.0}:{rest:04.1}, {} frames of {}, {} shots, {} tracks of faces, {} persons",
        f.frames,
        f.video.size,
        f.who.shots.len(),
        f.results.tracks.len(),
        f.results.persons.len()
    )
}

fn tiles(f: &Finished<'_>, o: &SyncOutcome, s: &VideoSummary) -> Vec<Tile> {
    let (tone, _) = headline(o);
    let t = &f.results.timeline;
    let offset = match o.audio_late_ms {
        Some(ms) => Tile::new("Audio late", format!("{ms:+.0}"))
            .unit("ms")
            .note(format!("{:+.1} frames of 25 a second", ms / 40.0)),
        None => Tile::new("Audio late", "\u{2013}").note("nothing to measure"),
    };
    let drift = match (t.drift_ppm, t.drift_error_ppm) {
        (Some(ppm), Some(e)) => Tile::new("Drift", format!("{ppm:+.1}")).unit("ppm").note(format!(
            "\u{b1} {:.1}{}",
            e,
            if t.drifts { "" } else { ": none can be told" }
        )),
        _ => Tile::new("Drift", "\u{2013}").note("needs a minute of speech"),
    };
    vec![
        offset.tone(tone),
        Tile::new("Probability", format!("{:.2}", o.probability)),
        drift.tone(if t.drifts { Tone::Warn } else { Tone::Neutral }),
        Tile::new("Edits", o.jumps.len().to_string()).tone(if o.jumps.is_empty() { Tone::Neutral } else { Tone::Warn }),
        Tile::new("Persons", f.results.persons.len().to_string()).note(format!(
            "{} tracks, {} faces in all frames",
            f.results.tracks.len(),
            f.who.faces
        )),
        Tile::new("Chunks accepted", s.accepted_chunks.to_string())
            .unit(format!("of {}", s.total_chunks))
            .note(format!("{:.0} % by confidence and offset", s.acceptance_rate)),
    ]
}

/// Windows of whoever speaks, else of all tracks, in order of time.
fn told<'a>(f: &'a Finished<'_>) -> Vec<&'a Told> {
    let all = || f.results.tracks.iter().flat_map(|t| &t.windows).filter(|w| !w.estimate.curve.is_empty());
    let speaking: Vec<&Told> = all().filter(|w| w.speaks).collect();
    let mut some = if speaking.is_empty() { all().collect() } else { speaking };
    some.sort_by(|a, b| (a.from + a.to).total_cmp(&(b.from + b.to)));
    some
}

/// Points with a gap wherever windows are far apart. A short window becomes a line of its length.
fn line(f: &Finished<'_>, value: impl Fn(&Told) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
    let zero = f.results.zero;
    let mut points: Vec<(f64, Option<f64>)> = Vec::new();
    for w in told(f) {
        let alone = w.to - w.from < f.config.window - 1e-6;
        let middle = (w.from + w.to) / 2.0 - zero;
        let here = if alone { vec![w.from - zero, w.to - zero] } else { vec![middle] };
        if let (Some(last), Some(first)) = (points.last().map(|p| p.0), here.first())
            && (alone || first - last > STEPS * f.config.step)
        {
            points.push((last, None));
        }
        points.extend(here.into_iter().map(|t| (t, value(w))));
    }
    points
}

fn offsets(f: &Finished<'_>, o: &SyncOutcome) -> LinePlot {
    let ms = |s: f64| Some(s * 1e3);
    let mut plot = LinePlot::new("Offset of the sound", "late (ms)")
        .series("offset", line(f, |w| ms(w.estimate.offset)))
        .series("at least", line(f, |w| band(&w.estimate).and_then(|b| ms(b.0))))
        .series("at most", line(f, |w| band(&w.estimate).and_then(|b| ms(b.1))))
        .threshold(0.0, "in step");
    for jump in &o.jumps {
        plot = plot.marker(jump.seconds, format!("{:+.0} ms", jump.by * 1e3), Tone::Warn);
    }
    plot
}

fn probabilities(f: &Finished<'_>) -> LinePlot {
    LinePlot::new("Probability", "probability")
        .series("probability", line(f, |w| Some(w.estimate.probability)))
        .y_range(0.0, 1.0)
        .threshold(f.config.min_probability, "least for a verdict")
}

fn speakers(f: &Finished<'_>) -> LinePlot {
    let of = |seen: bool| {
        let mut points = Vec::new();
        for s in f.results.speech.iter().filter(|s| s.track.is_some() == seen) {
            let y = s.person.map_or(-1.0, |p| p as f64);
            points.extend([(s.from, Some(y)), (s.to, Some(y)), (s.to, None)]);
        }
        points
    };
    let top = f.results.persons.len().max(1) as f64;
    let mut plot =
        LinePlot::new("Speakers", "person").series("speaks", of(true)).series("no face goes with it", of(false));
    plot = plot.y_range(-1.5, top - 0.5);
    // Shots, while they are few enough to be seen.
    if f.who.shots.len() <= 60 {
        let tracks = &f.results.tracks;
        for (shot, (first, _)) in f.who.shots.iter().enumerate().skip(1) {
            let at = tracks.iter().find(|t| t.shot == shot).map(|t| t.whole.from - f.results.zero);
            let at = at.unwrap_or(*first as f64 * f.video.usual());
            plot = plot.marker(at, "", Tone::Neutral);
        }
    }
    plot
}

/// A row a person.
fn persons(f: &Finished<'_>) -> HtmlTable {
    let mut table = HtmlTable::new("Persons")
        .number("person", "")
        .number("tracks", "")
        .number("seen", "s")
        .number("speaks", "s")
        .number("late", "ms")
        .number("probability", "")
        .number("drift", "ppm")
        .number("edits", "");
    let none = || "\u{2013}".to_owned();
    for p in f.results.persons.iter().take(ROWS) {
        let t = &p.timeline;
        table = table.row([
            p.person.to_string(),
            p.tracks.len().to_string(),
            format!("{:.1}", p.seen),
            format!("{:.1}", p.speaks),
            p.offset().map_or_else(none, |s| format!("{:+.0}", s * 1e3)),
            if p.speaks > 0.0 { format!("{:.2}", p.probability) } else { none() },
            t.drift_ppm.filter(|_| t.drifts).map_or_else(none, |ppm| format!("{ppm:+.1}")),
            t.jumps.len().to_string(),
        ]);
    }
    match f.results.persons.len().checked_sub(ROWS) {
        None | Some(0) => table,
        Some(more) => table.more(format!("{more} more in sync.json")),
    }
}

fn verdict_of(t: &TrackTold) -> (Tone, String) {
    let e = &t.whole.estimate;
    let ms = e.offset * 1e3;
    match e.verdict {
        SyncVerdict::InSync => (Tone::Good, format!("in sync ({ms:+.0} ms)")),
        SyncVerdict::AudioLate => (Tone::Bad, format!("audio late by {ms:.0} ms")),
        SyncVerdict::AudioEarly => (Tone::Bad, format!("audio early by {:.0} ms", -ms)),
        SyncVerdict::CannotTell => (Tone::Neutral, "cannot tell".into()),
    }
}

/// A picture of each person: that of the longest of its tracks that has one.
fn faces(f: &Finished<'_>) -> Vec<ImageItem> {
    let length = |track: u32| f.who.tracks.get(track as usize).map_or(0, |t| t.boxes.len());
    f.results
        .persons
        .iter()
        .filter_map(|p| {
            let mine = f.thumbs.iter().filter(|(track, _)| p.tracks.contains(&(*track as usize)));
            let (track, jpeg) = mine.max_by_key(|(track, _)| (length(*track), std::cmp::Reverse(*track)))?;
            let t = f.results.tracks.iter().find(|t| t.track == *track as usize)?;
            let count = match p.tracks.len() {
                1 => format!("track {track}"),
                n => format!("{n} tracks"),
            };
            let (tone, word) = match p.offset() {
                // What its windows say together is surer than one track.
                Some(s) if p.speaks > 0.0 => (judged(f, s), format!("{:+.0} ms", s * 1e3)),
                _ => verdict_of(t),
            };
            let when = format!("person {} ({count}): speaks {:.0} of {:.0} s", p.person, p.speaks, p.seen);
            Some(ImageItem::jpeg(jpeg, when).note(word).tone(tone))
        })
        .collect()
}

fn judged(f: &Finished<'_>, late: f64) -> Tone {
    if late.abs() <= f.config.tolerance { Tone::Good } else { Tone::Bad }
}

fn tracks(f: &Finished<'_>) -> HtmlTable {
    let scale = f.estimator.confidence_scale();
    let mut table = HtmlTable::new("Tracks of faces")
        .number("track", "")
        .number("person", "")
        .number("from", "s")
        .number("to", "s")
        .number("face", "px")
        .number("late", "ms")
        .number("confidence", "")
        .number("probability", "")
        .text("verdict");
    for t in f.results.tracks.iter().take(ROWS) {
        let e = &t.whole.estimate;
        let late = if e.curve.is_empty() { "\u{2013}".into() } else { format!("{:+.0}", e.offset * 1e3) };
        let (_, word) = verdict_of(t);
        let word = e.reasons.first().map_or(word, |r| format!("cannot tell: {r}"));
        table = table.row([
            t.track.to_string(),
            t.person.to_string(),
            format!("{:.2}", t.whole.from - f.results.zero),
            format!("{:.2}", t.whole.to - f.results.zero),
            format!("{:.0}", t.face),
            late,
            format!("{:.2}", e.confidence * scale),
            format!("{:.2}", e.probability),
            word,
        ]);
    }
    match f.results.tracks.len().checked_sub(ROWS) {
        None | Some(0) => table,
        Some(more) => table.more(format!("{more} more in sync.json")),
    }
}

fn chunks(s: &VideoSummary) -> HtmlTable {
    let mut table = HtmlTable::new("Chunks")
        .text("chunk")
        .number("from", "s")
        .number("to", "s")
        .number("tracks", "")
        .number("late", "ms")
        .number("confidence", "")
        .text("quality");
    for c in s.results.iter().take(ROWS) {
        let number = |v: Option<f64>, digits: usize| v.map_or("\u{2013}".into(), |v| format!("{v:+.digits$}"));
        let why = c.rejection_reason.join(", ");
        table = table.row([
            c.reference.clone(),
            format!("{:.1}", c.start_seconds),
            format!("{:.1}", c.end_seconds),
            c.face_tracks.to_string(),
            number(c.audio_late_ms, 0),
            c.confidence.map_or("\u{2013}".into(), |v| format!("{v:.2}")),
            if why.is_empty() { c.quality_status.clone() } else { format!("{}: {why}", c.quality_status) },
        ]);
    }
    match s.results.len().checked_sub(ROWS) {
        None | Some(0) => table,
        Some(more) => table.more(format!("{more} more in processing_summary.json")),
    }
}
