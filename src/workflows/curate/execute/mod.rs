//! Map: decisions to pictures. A unit is a frame; its record in the journal names its files with their hashes, so that a run which was
//! stopped goes on, and only frames that are decided otherwise are made again.

mod caption;
mod cover;
mod enhance;
mod exemplar;
mod make;
mod mask;
mod source;
mod telea;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::analyze::Working;
use super::config::{CurateConfig, OcclusionType};
use super::decide::{Decision, Decisions};
use super::metrics::FrameEntry;
use super::models::{ModelUse, Opener};
use super::picture::{PictureFile, Rgba, content_of};
use super::strategy::Strategy;
use crate::core::Limits;
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{ListOptions, list_images};
use crate::store::{Committed, RunKey, StateDir, StoreIo, UnitLog, commit, output_folder};
use caption::Captions;
use enhance::Repair;
use make::{Account, Made, Studio};
pub(super) use mask::without_noise;
pub(super) use source::Sources;

/// A frame that was worked on.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FrameOutcome {
    /// Files below the output folder, in the order in which they were made.
    pub(super) outputs: Vec<String>,
    /// Why there are none.
    pub(super) error: Option<String>,
    /// Steps in words, covered shares, figures after a repair.
    pub(super) account: serde_json::Value,
}

/// What came of all frames.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Executed {
    /// One for each entry; nothing for frames that were left out.
    pub(super) frames: Vec<Option<FrameOutcome>>,
    /// What made them.
    pub(super) models: Vec<ModelUse>,
    /// Frames whose files were there already.
    pub(super) kept: usize,
    /// Strategies that earlier runs into this folder made pictures by, with those that are gone from the settings since.
    pub(super) earlier: BTreeSet<String>,
}

/// Pictures that are pasted into frames.
#[derive(Debug, Default)]
struct Cutouts {
    /// In order of names.
    pictures: Vec<Rgba>,
    /// Of names and contents; empty without any.
    hash: String,
}

/// Record of a unit.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    /// What the files depend on, hashed.
    made_of: String,
    outputs: Vec<String>,
    account: Account,
}

/// Whether an error is the frame's own, so that the others go on.
const fn of_the_frame(e: &Error) -> bool {
    matches!(
        e,
        Error::InputNotFound { .. }
            | Error::InputUnsupported { .. }
            | Error::InputCorrupt { .. }
            | Error::LimitExceeded { .. }
            | Error::Model { .. }
            | Error::Parameter { .. }
            | Error::Memory { .. }
    )
}

/// Everything that can change a byte of every frame's files.
fn key(ctx: &GpuContext) -> Result<RunKey> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    RunKey::builder()
        .field("workflow", "curate pictures")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .finish()
}

/// What the files of one frame depend on beside that: its content, its strategy with its settings, models, cut-outs by their hash.
fn made_of(
    entry: &FrameEntry,
    strategy: &str,
    config: &CurateConfig,
    models: &[ModelUse],
    cutouts: &str,
) -> Result<String> {
    let files: Vec<_> = models.iter().map(|m| (&m.task, &m.sha256)).collect();
    let strategies = &config.strategies;
    let own = match strategy {
        super::KEEP_FULL => serde_json::to_value((&strategies.keep_full, &strategies.enhance_segment)),
        super::SEGMENT => serde_json::to_value(&strategies.segment),
        super::CREATE_OCCLUSION => serde_json::to_value((&strategies.create_occlusion, cutouts)),
        super::ENHANCE_SEGMENT => serde_json::to_value((&strategies.enhance_segment, &strategies.segment)),
        _ => {
            let version = config.own_strategies.get(strategy).map(Strategy::version);
            serde_json::to_value((config.custom_strategies.get(strategy), version, strategies))
        }
    };
    // A server writes the captions of all strategies with this model; templates know none.
    let writer = (!config.captions.endpoint.is_empty()).then_some(&strategies.keep_full.caption_model);
    let all = own.and_then(|own| {
        let analysis = (&config.analysis, &config.captions, &entry.metrics);
        serde_json::to_string(&(&entry.content, &entry.name, strategy, own, files, analysis, config.parity, writer))
    });
    let all = all.map_err(|e| Error::Bug(format!("what a frame depends on: {e}")))?;
    Ok(blake3::hash(all.as_bytes()).to_hex().to_string())
}

/// Cut-outs for pasting, where they are wanted.
fn cutouts(config: &CurateConfig, limits: &Limits) -> Result<Cutouts> {
    let o = &config.strategies.create_occlusion;
    if !o.enabled || !o.occlusion_types.contains(&OcclusionType::Object) {
        return Ok(Cutouts::default());
    }
    let folder = Path::new(&o.cutouts);
    let list = list_images(folder, ListOptions::default(), limits)?;
    if list.files.is_empty() {
        return Err(Error::usage(format!("there are no cut-outs in {}", folder.display())));
    }
    let mut hash = blake3::Hasher::new();
    let mut pictures = Vec::with_capacity(list.files.len());
    for file in &list.files {
        let read = PictureFile::read(file, limits)?;
        // The name, not the place: a folder that was moved holds the same cut-outs. No name has a zero byte in it.
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        hash.update(name.as_bytes()).update(&[0]).update(content_of(&read.bytes).as_bytes());
        pictures.push(read.picture);
    }
    Ok(Cutouts { pictures, hash: hash.finalize().to_hex().to_string() })
}

/// Opens only the networks that the decided strategies need.
fn studio<'a>(
    ctx: &'a GpuContext,
    config: &'a CurateConfig,
    decisions: &Decisions,
    working: Working<'a>,
    (io, state): (&'a dyn StoreIo, &Path),
) -> Result<(Studio<'a>, Vec<ModelUse>)> {
    use super::config::{EnhanceStep, Step};
    let used = |name: &str| decisions.all.iter().any(|d| d.strategy.as_deref() == Some(name));
    let s = &config.strategies;
    let own = |step: Step| config.custom_strategies.iter().any(|(n, c)| used(n) && c.steps.contains(&step));
    let repairs = used(super::ENHANCE_SEGMENT) || (used(super::KEEP_FULL) && s.keep_full.apply_enhancement);
    let step = |step: EnhanceStep, custom: Step| {
        (repairs && s.enhance_segment.enhancement_steps.contains(&step)) || own(custom)
    };
    let cuts = used(super::SEGMENT)
        || (used(super::ENHANCE_SEGMENT) && s.enhance_segment.apply_segmentation)
        || own(Step::Segment);
    let mut opener = Opener::new(working.networks, config);
    let restores = step(EnhanceStep::FaceEnhance, Step::FaceEnhance);
    let subject = if cuts { opener.subject(ctx)? } else { None };
    let fill = if used(super::SEGMENT) && s.segment.save_background { opener.fill()? } else { None };
    let upscale = if step(EnhanceStep::Upscale, Step::Upscale) { opener.upscale()? } else { None };
    let restore = if restores { opener.restore()? } else { None };
    let faces = if restore.is_some() { opener.faces(ctx)? } else { None };
    let repair = Repair { upscale, restore, faces };
    #[cfg(feature = "caption")]
    let captions = {
        let folder = state.join("captions");
        output_folder(io, &folder)?;
        Captions::new(config, io, &folder, &working.decode.cancel)?
    };
    #[cfg(not(feature = "caption"))]
    let captions = {
        let _ = (io, state);
        Captions::new(config, &working.decode.cancel)?
    };
    let limits = &working.decode.limits;
    let cutouts = if used(super::CREATE_OCCLUSION) { cutouts(config, limits)? } else { Cutouts::default() };
    Ok((Studio { ctx, config, subject, fill, repair, captions, cutouts }, opener.uses))
}

/// Makes the pictures of all decisions below `folder`. `state` belongs to this run.
///
/// A frame that fails has an outcome with `error`; the others go on.
///
/// # Errors
/// The device, storage, the journal, models that cannot be opened, `Cancelled`.
pub(super) fn execute(
    ctx: &GpuContext,
    (io, folder, state): (&dyn StoreIo, &Path, &StateDir),
    (entries, decisions): (&[FrameEntry], &Decisions),
    config: &CurateConfig,
    working: Working<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Executed> {
    for name in config.folders() {
        for part in ["images", "captions"] {
            let path = folder.join(&name).join(part);
            output_folder(io, &path)?;
        }
    }
    let journal = state.join("pictures");
    if !config.processing.skip_existing && journal.exists() {
        std::fs::remove_file(&journal).map_err(|e| Error::storage("remove", &journal, e))?;
    }
    let mut log = UnitLog::open(io, &journal, folder, &key(ctx)?)?;
    let (mut studio, models) = studio(ctx, config, decisions, working, (io, state.path()))?;
    let mut plan: BTreeMap<String, String> = BTreeMap::new();
    for (entry, decision) in entries.iter().zip(&decisions.all) {
        if let Some(strategy) = &decision.strategy {
            let made_of = made_of(entry, strategy, config, &models, &studio.cutouts.hash)?;
            plan.insert(unit(strategy, &entry.name), made_of);
        }
    }
    sweep(&log, folder, &plan)?;
    let ours = |i: usize| working.shard.is_none_or(|s| s.has(i));
    let wanted = decisions.all.iter().enumerate().map(|(i, d)| d.strategy.is_some() && ours(i)).collect();
    let mut sources = Sources::new(ctx, entries, wanted, working);
    let frames = Vec::with_capacity(entries.len());
    let mut executed = Executed { frames, models, kept: 0, earlier: strategies_of(&log) };
    for (i, (entry, decision)) in entries.iter().zip(&decisions.all).enumerate() {
        working.decode.cancel.check()?;
        if !ours(i) {
            executed.frames.push(None);
            continue;
        }
        let done = one(&mut log, (io, folder), (i, entry, decision), &plan, &mut studio, &mut sources)?;
        executed.kept += usize::from(done.as_ref().is_some_and(|(_, kept)| *kept));
        if done.is_some() {
            progress(1);
        }
        executed.frames.push(done.map(|(outcome, _)| outcome));
    }
    Ok(executed)
}

fn unit(strategy: &str, name: &str) -> String {
    format!("{strategy}/{name}")
}

/// Strategies of all frames on record, also of those whose files are gone.
fn strategies_of(log: &UnitLog) -> BTreeSet<String> {
    let units = log.records().map(|r| r.unit.as_str()).chain(log.redo().iter().map(|(unit, _)| unit.as_str()));
    let names = units.filter_map(|u| u.split_once('/')).map(|(strategy, _)| strategy);
    // They become parts of paths: nothing that leads elsewhere.
    let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    names.filter(plain).map(str::to_owned).collect()
}

fn outcome(outputs: Vec<String>, account: &Account) -> FrameOutcome {
    FrameOutcome { outputs, error: None, account: serde_json::to_value(account).unwrap_or_default() }
}

/// One frame; nothing for one that is left out. Says whether its files were there.
fn one(
    log: &mut UnitLog,
    (io, folder): (&dyn StoreIo, &Path),
    (i, entry, decision): (usize, &FrameEntry, &Decision),
    plan: &BTreeMap<String, String>,
    studio: &mut Studio<'_>,
    sources: &mut Sources<'_>,
) -> Result<Option<(FrameOutcome, bool)>> {
    let failed = |error: String| Some((FrameOutcome { error: Some(error), ..FrameOutcome::default() }, false));
    if let Some(why) = &entry.error {
        return Ok(failed(why.clone()));
    }
    let Some(strategy) = &decision.strategy else { return Ok(None) };
    let name = unit(strategy, &entry.name);
    let made_of = plan.get(&name).cloned().unwrap_or_default();
    if let Some(meta) = log.done(&name).and_then(|r| serde_json::from_value::<Meta>(r.meta.clone()).ok())
        && meta.made_of == made_of
    {
        return Ok(Some((outcome(meta.outputs, &meta.account), true)));
    }
    let made = sources.pixels(i).and_then(|pixels| studio.make(entry, strategy, &pixels));
    let (made, account) = match made {
        Ok(made) => made,
        Err(e) if of_the_frame(&e) => return Ok(failed(e.to_string())),
        Err(e) => return Err(e),
    };
    let committed: Vec<Committed> = made.iter().map(|m| write(io, folder, m)).collect::<Result<_>>()?;
    let outputs: Vec<String> = made.into_iter().map(|m| m.path).collect();
    log.finish(&name, &committed, &Meta { made_of, outputs: outputs.clone(), account: account.clone() })?;
    Ok(Some((outcome(outputs, &account), false)))
}

fn write(io: &dyn StoreIo, folder: &Path, made: &Made) -> Result<Committed> {
    commit(io, inside(folder, &made.path), |w| w.write_all(&made.bytes))
}

/// A path below `folder` from one with `/`.
pub(super) fn inside(folder: &Path, path: &str) -> PathBuf {
    path.split('/').fold(folder.to_path_buf(), |at, part| at.join(part))
}

/// Takes away files of earlier runs that this one would not make: of frames decided otherwise, or made with other settings.
fn sweep(log: &UnitLog, folder: &Path, plan: &BTreeMap<String, String>) -> Result<()> {
    for record in log.records() {
        let meta: Option<Meta> = serde_json::from_value(record.meta.clone()).ok();
        let wanted = plan.get(&record.unit).is_some_and(|made_of| meta.as_ref().is_some_and(|m| m.made_of == *made_of));
        if wanted {
            continue;
        }
        for output in &record.outputs {
            let path = inside(folder, &output.path);
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::storage("remove", &path, e));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::metrics::FramePlace;
    use super::super::metrics::tests::metrics;
    use super::*;
    use crate::core::Size;
    use crate::report::{PngFormat, encode_png};
    use crate::store::OsIo;

    fn entry() -> FrameEntry {
        let place = FramePlace { path: "a.png".into(), frame: None, seconds: None };
        let metrics = Some(metrics(0.2, 0.8, 0.7));
        FrameEntry { name: "a".into(), place, content: "0123".into(), metrics, error: None }
    }

    #[test]
    fn all_captions_depend_on_the_model_that_a_server_is_asked_for() {
        let of = |strategy: &str, endpoint: &str, model: &str| {
            let mut config = CurateConfig::default();
            config.captions.endpoint = endpoint.into();
            config.strategies.keep_full.caption_model = model.into();
            made_of(&entry(), strategy, &config, &[], "").unwrap()
        };
        let url = "http://127.0.0.1:1/v1";
        for strategy in super::super::STRATEGIES {
            assert_ne!(of(strategy, url, "one"), of(strategy, url, "two"), "{strategy}");
            assert_eq!(of(strategy, url, "one"), of(strategy, url, "one"), "{strategy}");
        }
        assert_eq!(of("segment", "", "one"), of("segment", "", "two"), "templates know no model");
    }

    #[test]
    fn covered_frames_depend_on_the_cut_outs_themselves() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, grey: u8| {
            let png = encode_png(Size::new(2, 2), PngFormat::Gray8, &[grey; 4]).unwrap();
            commit(&OsIo, dir.path().join(name), |w| w.write_all(&png)).unwrap();
        };
        let mut config = CurateConfig::default();
        config.strategies.create_occlusion.occlusion_types = vec![OcclusionType::Object];
        config.strategies.create_occlusion.cutouts = dir.path().to_string_lossy().into_owned();
        let of = |strategy: &str| {
            let cutouts = cutouts(&config, &Limits::default()).unwrap();
            (cutouts.pictures.len(), made_of(&entry(), strategy, &config, &[], &cutouts.hash).unwrap())
        };
        assert!(cutouts(&config, &Limits::default()).is_err(), "an empty folder");
        put("leaf.png", 10);
        let (covered, kept) = (of("create_occlusion"), of("keep_full"));
        assert_eq!((covered.0, &covered), (1, &of("create_occlusion")));
        // Another picture by the same name; then one more.
        put("leaf.png", 20);
        let changed = of("create_occlusion");
        put("twig.png", 30);
        let more = of("create_occlusion");
        assert!(changed.1 != covered.1 && more.1 != changed.1 && more.0 == 2);
        assert_eq!(of("keep_full").1, kept.1, "other strategies paste nothing");
        std::fs::remove_file(dir.path().join("twig.png")).unwrap();
        put("branch.png", 30);
        assert_ne!(of("create_occlusion").1, more.1);
        config.strategies.create_occlusion.occlusion_types = vec![OcclusionType::EdgeBlur];
        assert!(cutouts(&config, &Limits::default()).unwrap().hash.is_empty());
    }

    #[test]
    fn strategies_of_earlier_runs_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let key = RunKey::builder().field("x", 1).finish().unwrap();
        let open = || UnitLog::open(&OsIo, dir.path().join("log"), dir.path(), &key).unwrap();
        let mut log = open();
        let file = commit(&OsIo, dir.path().join("a.png"), |w| w.write_all(b"a")).unwrap();
        log.finish("dark/a", &[file], &1).unwrap();
        log.finish("keep_full/b", &[], &2).unwrap();
        log.finish("../b", &[], &3).unwrap();
        let want = BTreeSet::from(["dark", "keep_full"].map(String::from));
        assert_eq!(strategies_of(&log), want);
        drop(log);
        // Its picture is gone, which makes it work to do again: it was there all the same.
        std::fs::remove_file(dir.path().join("a.png")).unwrap();
        let log = open();
        assert!(log.done("dark/a").is_none());
        assert_eq!(strategies_of(&log), want);
    }
}
