//! What can be known of a command before it runs: whether its settings are right and its networks are there.

use frameloom::Result;
use frameloom::workflows::analyze::AnalyzeConfig;
use frameloom::workflows::chunk::heat::HeatConfig;
use frameloom::workflows::chunk::plan::PlanParams;
use frameloom::workflows::chunk::process::{ProcessConfig, ProxyConfig};
use frameloom::workflows::collage::{CollageSettings, IndexSettings};

use super::{chunk_run, collage, curate, heatmap, index};
use crate::args::Command;
use crate::chunk_args::ChunkCommand;
use crate::index_args::IndexCommand;

/// Checks settings from all layers, and that manifests list the networks that `command` names.
///
/// # Errors
/// As the command itself: [`frameloom::Error::Config`], [`frameloom::Error::Model`] and others.
pub(crate) fn check(command: &Command) -> Result<()> {
    match command {
        Command::Analyze(a) => a.set.lay(super::analyze::layers(a)?).resolve::<AnalyzeConfig>().map(drop),
        Command::Heatmap(a) => {
            let config: HeatConfig = a.set.lay(heatmap::heat_layers(a)?).resolve()?.settings;
            networks(&a.models, config.model.iter().chain(&config.face_model))
        }
        Command::Chunk(a) => match &a.command {
            // What a map says of objects is known when it is there.
            ChunkCommand::Plan(a) if a.objects.is_some() && !a.heat.exists() => Ok(()),
            ChunkCommand::Plan(a) => a.set.lay(heatmap::plan_layers(a)?).resolve::<PlanParams>().map(drop),
            ChunkCommand::Run(a) => {
                a.set.lay(chunk_run::run_layers(a)?).resolve::<ProcessConfig>()?;
                let network = match chunk_run::asked(&a.effect) {
                    chunk_run::Asked::Model(name) => Some(name.to_owned()),
                    chunk_run::Asked::Identity | chunk_run::Asked::Filter(_) => None,
                };
                networks(&a.models, network.iter())
            }
            ChunkCommand::Segments(_) => Ok(()),
        },
        Command::Proxy(a) => a.set.lay(chunk_run::proxy_layers(a)?).resolve::<ProxyConfig>().map(drop),
        // Without a network its work is done otherwise, and the report says so.
        Command::Curate(a) => curate::check(a),
        Command::Collage(a) => {
            let settings: CollageSettings = a.set.lay(collage::settings_layers(a)?).resolve()?.settings;
            let method = settings.descriptor.feature_method;
            let name = method.is_neural().then(|| settings.descriptor.model.unwrap_or_else(|| method.name().into()));
            networks(&a.work.models, name.iter())
        }
        Command::Index(a) => {
            let IndexCommand::Build { config, descriptor, aspect, search, set, work, .. } = &a.command else {
                return Ok(());
            };
            let layers = index::build_layers(config.as_deref(), (descriptor, *aspect, search))?;
            let settings: IndexSettings = set.lay(layers).resolve()?.settings;
            let method = settings.descriptor.feature_method;
            let name = method.is_neural().then(|| settings.descriptor.model.unwrap_or_else(|| method.name().into()));
            networks(&work.models, name.iter())
        }
        Command::Track(a) => {
            let config = a.settings.resolve()?;
            let name = (!config.is_motion() && a.detections.is_none()).then_some(config.detector);
            networks(&a.work.models, name.iter().chain(&config.appearance))
        }
        #[cfg(feature = "onnx")]
        Command::Sync(a) => {
            use crate::sync_args::SyncCommand;
            use frameloom::workflows::sync::run::SyncModelFiles;
            let (settings, work, measured) = match &a.command {
                Some(SyncCommand::Fix(f)) => (&f.settings, &f.work, f.offset_ms.is_none() || !f.no_check),
                Some(SyncCommand::Batch(b)) => (&b.settings, &b.work, true),
                None => (&a.settings, &a.work, true),
            };
            let config = settings.resolve()?;
            if measured {
                SyncModelFiles::find(&work.models, &work.names(), &config)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(feature = "onnx")]
fn networks<'a>(folders: &[std::path::PathBuf], names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut names = names.peekable();
    if names.peek().is_some() {
        let registry = frameloom::infer::ModelRegistry::find(folders)?;
        for name in names {
            registry.get(name)?;
        }
    }
    Ok(())
}

#[cfg(not(feature = "onnx"))]
fn networks<'a>(_: &[std::path::PathBuf], mut names: impl Iterator<Item = &'a String>) -> Result<()> {
    match names.next() {
        Some(name) => {
            Err(frameloom::Error::usage(format!("this build has no networks (feature `onnx`), so no `{name}`")))
        }
        None => Ok(()),
    }
}
