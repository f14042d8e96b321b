//! Tables and the formats of others.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::super::detections::{DetectionFrame, MotTrack, detection_rows, detections_schema, write_mot};
use super::super::recognise::Answer;
use super::super::zones::{Direction, Happening, ZoneEvent};
use super::counts::{Step, row as step_row, schema as steps_schema};
use super::follow::{Followed, Sight};
use super::seen::{Seen, SeenFacts};
use crate::error::{Error, Result, StateError};
use crate::report::{Cell, ColumnType, Schema, TableFormats, TableSink};
use crate::store::{Committed, StoreIo, commit};

/// What a recogniser said, a line a question.
const ANSWERS: &str = "answers.jsonl";

/// An object over its whole life.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Life {
    pub(super) id: u64,
    pub(super) class: u32,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) frames: u64,
    pub(super) moving: u64,
    pub(super) score: f32,
    /// Way of its centre in pixels.
    pub(super) path: f64,
    /// Its centre at the beginning and at the end.
    pub(super) from: [f64; 2],
    pub(super) to: [f64; 2],
}

/// The lives of all objects, by number.
pub(super) fn lives(followed: &Followed) -> Vec<Life> {
    let mut lives: Vec<Life> = followed
        .end
        .tracks
        .iter()
        .map(|t| Life {
            id: t.id,
            class: t.class,
            first: t.first,
            last: t.last,
            frames: t.frames,
            moving: t.moving,
            score: t.score,
            path: 0.0,
            from: [f64::NAN; 2],
            to: [0.0; 2],
        })
        .collect();
    for sight in followed.sights.iter().flatten() {
        let Ok(at) = lives.binary_search_by_key(&sight.id, |l| l.id) else { continue };
        let Some(life) = lives.get_mut(at) else { continue };
        let c = sight.rect.center();
        let here = [f64::from(c.x), f64::from(c.y)];
        if life.from.iter().any(|v| v.is_nan()) {
            life.from = here;
        } else {
            life.path += (here[0] - life.to[0]).hypot(here[1] - life.to[1]);
        }
        life.to = here;
    }
    lives
}

fn table(
    io: &dyn StoreIo,
    folder: &Path,
    name: &str,
    schema: Schema,
    fill: impl FnOnce(&mut TableSink<'_>) -> Result<()>,
) -> Result<Vec<Committed>> {
    let mut sink = TableSink::create(io, folder.join(name), schema, TableFormats::default())?;
    fill(&mut sink)?;
    Ok(sink.finish()?.files)
}

/// What the pass over the pictures found: `detections.parquet`, and what the boxes look like, where that was asked for.
pub(super) fn write_detections(io: &dyn StoreIo, folder: &Path, seen: &Seen) -> Result<Vec<Committed>> {
    let formats = TableFormats { jsonl: false, csv: false, parquet: true };
    let mut sink = TableSink::create(io, folder.join("detections"), detections_schema(), formats)?;
    for f in &seen.frames {
        let frame = DetectionFrame { index: f.time.index, seconds: f.time.seconds, detections: f.detections.clone() };
        for row in detection_rows(&frame, f.time.looked, &seen.facts.classes) {
            sink.push(row)?;
        }
    }
    let mut files = sink.finish()?.files;
    if seen.facts.recognised.is_some() {
        files.push(commit(io, folder.join(ANSWERS), |w| lines(w, &seen.answers))?);
    }
    if seen.facts.appearance.is_some() {
        files.push(super::looks::write(io, folder, &seen.frames)?);
    }
    Ok(files)
}

fn tracks_schema() -> Schema {
    use ColumnType::{Bool, F64, Str, U64};
    Schema::new("track.tracks", 1)
        .column("frame", U64, "", "Number of the frame in order of decoding, from 0.")
        .column("seconds", F64, "s", "Time of the frame on the clock of the video.")
        .column("id", U64, "", "Number of the object, from 1.")
        .column("class", U64, "", "Number of its class.")
        .column("class_name", Str, "", "Name of its class.")
        .column("x", F64, "px", "Left edge of its box in the picture as it is shown.")
        .column("y", F64, "px", "Top edge.")
        .column("width", F64, "px", "Width.")
        .column("height", F64, "px", "Height.")
        .column("score", F64, "1", "Score of its detection.")
        .column("moving", Bool, "", "Whether it moves, after hysteresis; else it is idle.")
        .column("interpolated", Bool, "", "Whether the box lies between two frames that the detector looked at.")
        .column("zone", Str, "", "The first zone that holds it, without debounce.")
}

fn objects_schema() -> Schema {
    use ColumnType::{F64, Str, U64};
    Schema::new("track.objects", 1)
        .column("id", U64, "", "Number of the object, from 1.")
        .column("class", U64, "", "Number of its class.")
        .column("class_name", Str, "", "Name of its class.")
        .column("first", F64, "s", "When it was seen first.")
        .column("last", F64, "s", "When it was seen last.")
        .column("frames", U64, "", "Frames in which it was seen.")
        .column("moving_share", F64, "1", "Share of them in which it moved.")
        .column("score", F64, "1", "Largest score of its detections.")
        .column("path", F64, "px", "Way of the middle of its box.")
        .column("from_x", F64, "px", "The middle of its box at the beginning.")
        .column("from_y", F64, "px", "See from_x.")
        .column("to_x", F64, "px", "The middle of its box at the end.")
        .column("to_y", F64, "px", "See to_x.")
        .column("identity", Str, "", "Name that a recogniser gave it.")
        .column("identity_confidence", F64, "%", "How sure the recogniser was, on average.")
}

fn events_schema() -> Schema {
    use ColumnType::{Bool, F64, Str, U64};
    Schema::new("track.events", 1)
        .column("seconds", F64, "s", "When it happened on the clock of the video.")
        .column("event", Str, "", "enter, exit or cross.")
        .column("id", U64, "", "Number of the object.")
        .column("class", U64, "", "Number of its class.")
        .column("class_name", Str, "", "Name of its class.")
        .column("place", Str, "", "Key of the zone or line.")
        .column("name", Str, "", "Its name.")
        .column("direction", Str, "", "left_to_right or right_to_left, seen along the line.")
        .column("dwell", F64, "s", "Time inside, at an exit.")
        .column("repeat", Bool, "", "An entry too soon after the last one to count.")
        .column("lost", Bool, "", "The object was not seen leaving: its track ended inside.")
        .column("identity", Str, "", "Name that a recogniser gave the object.")
}

pub(super) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::LeftToRight => "left_to_right",
        Direction::RightToLeft => "right_to_left",
    }
}

fn event_row(e: &ZoneEvent, facts: &SeenFacts, followed: &Followed) -> [Cell; 12] {
    let file = followed.end.zones.file();
    let zone = |z: usize| file.zones.get(z).map(|z| (z.id.as_str(), z.name.as_str()));
    let line = |l: usize| file.lines.get(l).map(|l| (l.id.as_str(), l.name.as_str()));
    let (word, place, way, dwell, repeat, lost) = match e.happening {
        Happening::Enter { zone: z, repeat } => ("enter", zone(z), None, None, Some(repeat), None),
        Happening::Exit { zone: z, dwell, lost } => ("exit", zone(z), None, Some(dwell), None, Some(lost)),
        Happening::Cross { line: l, direction } => {
            ("cross", line(l), Some(direction_name(direction)), None, None, None)
        }
    };
    [
        e.seconds.into(),
        word.into(),
        e.track.into(),
        e.class.into(),
        facts.class_name(e.class).into(),
        place.map(|p| p.0).into(),
        place.map(|p| p.1).into(),
        way.into(),
        dwell.into(),
        repeat.into(),
        lost.into(),
        followed.names.get(&e.track).map(|n| n.name.as_str()).into(),
    ]
}

/// Tracks, objects, events, counts; MOT text and COCO.
pub(super) fn write_tables(
    io: &dyn StoreIo,
    folder: &Path,
    seen: &Seen,
    (followed, steps, lives): (&Followed, &[Step], &[Life]),
) -> Result<Vec<Committed>> {
    let facts = &seen.facts;
    let zones = &followed.end.zones.file().zones;
    let mut files = table(io, folder, "tracks", tracks_schema(), |sink| {
        for (frame, sights) in seen.frames.iter().zip(&followed.sights) {
            for s in sights {
                let zone = s.zone.and_then(|z| zones.get(z)).map(|z| &z.id);
                sink.push([
                    frame.time.index.into(),
                    frame.time.seconds.into(),
                    s.id.into(),
                    s.class.into(),
                    facts.class_name(s.class).into(),
                    s.rect.x.into(),
                    s.rect.y.into(),
                    s.rect.width.into(),
                    s.rect.height.into(),
                    s.score.into(),
                    s.moving.into(),
                    s.interpolated.into(),
                    zone.into(),
                ])?;
            }
        }
        Ok(())
    })?;
    files.extend(table(io, folder, "objects", objects_schema(), |sink| {
        for l in lives {
            sink.push([
                l.id.into(),
                l.class.into(),
                facts.class_name(l.class).into(),
                l.first.into(),
                l.last.into(),
                l.frames.into(),
                (l.moving as f64 / l.frames.max(1) as f64).into(),
                l.score.into(),
                l.path.into(),
                l.from[0].into(),
                l.from[1].into(),
                l.to[0].into(),
                l.to[1].into(),
                followed.names.get(&l.id).map(|n| &n.name).into(),
                followed.names.get(&l.id).map(|n| n.confidence).into(),
            ])?;
        }
        Ok(())
    })?);
    files.extend(table(io, folder, "events", events_schema(), |sink| {
        followed.events.iter().try_for_each(|e| sink.push(event_row(e, facts, followed)))
    })?);
    files.extend(table(io, folder, "counts", steps_schema(followed), |sink| {
        steps.iter().try_for_each(|s| sink.push(step_row(s)))
    })?);
    files.push(commit(io, folder.join("tracks.mot.txt"), |w| mot(w, seen, followed))?);
    files.push(commit(io, folder.join("tracks.coco.json"), |w| coco(w, seen, followed))?);
    Ok(files)
}

fn mot(to: &mut dyn Write, seen: &Seen, followed: &Followed) -> std::io::Result<()> {
    for (frame, sights) in seen.frames.iter().zip(&followed.sights) {
        let line =
            |s: &Sight| MotTrack { frame: frame.time.index, id: s.id, rect: s.rect, score: s.score, class: s.class };
        write_mot(to, &sights.iter().map(line).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// A COCO data set with frames as images, as CocoVID has it. `instance_id` is the object.
fn coco(to: &mut dyn Write, seen: &Seen, followed: &Followed) -> std::io::Result<()> {
    let facts = &seen.facts;
    let video = facts.inputs.first().map_or("", String::as_str);
    let name = Path::new(video).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    // Those that have names, and those of files without names that were seen.
    let mut classes: BTreeSet<u32> = (0u32..).zip(&facts.classes).map(|(c, _)| c).collect();
    classes.extend(followed.sights.iter().flatten().map(|s| s.class));
    let category = |c: u32| json!({ "id": u64::from(c) + 1, "name": facts.class_name(c) });
    let categories: Vec<_> = classes.into_iter().map(category).collect();
    let (width, height) = (facts.width, facts.height);
    let videos = json!([{ "id": 1, "name": name, "width": width, "height": height }]);
    write!(to, "{{\"videos\": {videos},\n\"categories\": {},\n\"images\": [", json!(categories))?;
    for (i, frame) in seen.frames.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let image = json!({
            "id": frame.time.index + 1, "video_id": 1, "frame_id": frame.time.index, "seconds": frame.time.seconds,
            "width": width, "height": height, "file_name": format!("{name}/{:06}", frame.time.index),
        });
        write!(to, "{comma}\n{image}")?;
    }
    write!(to, "],\n\"annotations\": [")?;
    let mut id = 0u64;
    for (frame, sights) in seen.frames.iter().zip(&followed.sights) {
        for s in sights {
            id += 1;
            let comma = if id == 1 { "" } else { "," };
            let annotation = json!({
                "id": id, "image_id": frame.time.index + 1, "video_id": 1, "category_id": u64::from(s.class) + 1,
                "instance_id": s.id, "bbox": [s.rect.x, s.rect.y, s.rect.width, s.rect.height],
                "area": s.rect.area(), "iscrowd": 0, "score": s.score,
            });
            write!(to, "{comma}\n{annotation}")?;
        }
    }
    writeln!(to, "]}}")
}

/// `detections.parquet` and `source.json` of a run, read back.
pub(super) fn read_seen(folder: &Path, facts: SeenFacts) -> Result<Seen> {
    let (found, looked) = super::super::detections::read_frames(&folder.join("detections.parquet"))?;
    let mut frames = found
        .frames
        .into_iter()
        .zip(looked)
        .map(|(f, looked)| super::seen::SeenFrame {
            time: super::source::FrameTime { index: f.index, seconds: f.seconds, looked },
            detections: f.detections,
            looks: Vec::new(),
        })
        .collect::<Vec<_>>();
    if facts.appearance.is_some() {
        super::looks::read(folder, &mut frames)?;
    }
    let answers = if facts.recognised.is_some() { read_answers(&folder.join(ANSWERS))? } else { Vec::new() };
    let read = |s: &super::stills::Still| {
        let path = folder.join(&s.file);
        std::fs::read(&path).map_err(|e| Error::storage("read", &path, e))
    };
    let pictures = facts.stills.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(Seen { facts, frames, pictures, answers })
}

fn lines(to: &mut dyn Write, answers: &[Answer]) -> std::io::Result<()> {
    for answer in answers {
        serde_json::to_writer(&mut *to, answer)?;
        writeln!(to)?;
    }
    Ok(())
}

fn read_answers(path: &Path) -> Result<Vec<Answer>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::storage("read", path, e))?;
    let corrupt = |(at, e): (usize, serde_json::Error)| {
        Error::State(StateError::Corrupt { path: path.into(), reason: format!("line {}: {e}", at + 1) })
    };
    let line = |(at, line): (usize, &str)| serde_json::from_str(line).map_err(|e| corrupt((at, e)));
    text.lines().enumerate().map(line).collect()
}
