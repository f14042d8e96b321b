//! Networks that describe pictures, for the methods that need one.

#[cfg(feature = "onnx")]
use std::path::PathBuf;
#[cfg(feature = "onnx")]
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::DescriptorConfig;
use crate::core::ColorSpec;
#[cfg(feature = "onnx")]
use crate::core::GridPooling;
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
#[cfg(feature = "onnx")]
use crate::infer::tasks::embed::Embedder;
#[cfg(feature = "onnx")]
use crate::infer::{Allow, ModelRegistry, OnnxSession, SessionOptions, Task, TensorModel as _, VerifiedModel};
use crate::ops::FrameBatch;
use crate::ops::resize::crop_resize::CropBox;
#[cfg(feature = "onnx")]
use crate::pipeline::vision::{DescriptorModel, DescriptorOptions};

/// How the numbers of a cell of a network's map become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeaturePooling {
    /// Their mean.
    #[default]
    Avg,
    /// The generalised mean of power `gem_p`: the mean for 1, the maximum in the limit.
    Gem,
}

/// A network that describes pictures: part of the key of an index.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkUse {
    /// Name in the manifest.
    pub name: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Numbers of a descriptor.
    pub dim: u32,
}

/// Where networks come from. The default has none, and methods that need one are refused.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    #[cfg(feature = "onnx")]
    registry: Option<Arc<ModelRegistry>>,
}

impl Networks {
    /// The networks of `folders` and of the usual places.
    ///
    /// # Errors
    /// As [`ModelRegistry::find`].
    #[cfg(feature = "onnx")]
    pub fn find(folders: &[PathBuf]) -> Result<Self> {
        Ok(Self { registry: Some(Arc::new(ModelRegistry::find(folders)?)) })
    }

    /// Completes `config` by the network called `name`, which must be listed for the task `embed`.
    ///
    /// # Errors
    /// [`Error::Model`] when it is not listed, has changed, or leaves the length of its vectors open; [`Error::Usage`] in a build without
    /// networks.
    pub fn complete(&self, config: &mut DescriptorConfig, name: &str) -> Result<()> {
        #[cfg(feature = "onnx")]
        {
            let model = self.load(name)?;
            let session = OnnxSession::open(&model, &SessionOptions::default())?;
            let adapter = Embedder::new(&model.entry, session.inputs(), session.outputs())?;
            let adapter = match adapter.pooling() {
                Some(_) => adapter.with_pooling(pooling(config)),
                None => adapter,
            };
            let dim = adapter.dim().and_then(|d| u32::try_from(d).ok()).filter(|d| *d > 0);
            let open = || Error::model("shape", format!("`{name}` does not say how long its vectors are"));
            config.network = Some(NetworkUse { name: name.into(), sha256: model.sha256, dim: dim.ok_or_else(open)? });
            Ok(())
        }
        #[cfg(not(feature = "onnx"))]
        {
            let _ = (config, name);
            Err(without())
        }
    }

    #[cfg(feature = "onnx")]
    fn load(&self, name: &str) -> Result<VerifiedModel> {
        let registry = self.registry.as_ref().ok_or_else(|| Error::Usage {
            message: format!("no models are known, `{name}` is wanted"),
            hint: Some("name a folder with `--models DIR`".into()),
        })?;
        registry.load_for(Task::Embed, name, Allow::Pinned)
    }

    /// The network of `config`, ready to run.
    pub(super) fn open(&self, ctx: &GpuContext, config: &DescriptorConfig) -> Result<Network> {
        let wanted = config.network.as_ref().ok_or_else(|| Error::Config {
            field: "network".into(),
            message: format!("`{}` needs a network, none is named", config.method),
        })?;
        #[cfg(feature = "onnx")]
        {
            let model = self.load(&wanted.name)?;
            if model.sha256 != wanted.sha256 {
                let text = format!("`{}` is another file than the one that is wanted", wanted.name);
                return Err(Error::model("hash-mismatch", text));
            }
            let session = OnnxSession::open(&model, &SessionOptions::default())?;
            let map = Embedder::new(&model.entry, session.inputs(), session.outputs())?.pooling().is_some();
            let options = DescriptorOptions { pooling: map.then(|| pooling(config)), ..DescriptorOptions::default() };
            let model = DescriptorModel::new(ctx, session, &model.entry, options)?;
            Ok(Network { model, dim: wanted.dim as usize })
        }
        #[cfg(not(feature = "onnx"))]
        {
            let _ = (ctx, wanted);
            Err(without())
        }
    }
}

#[cfg(feature = "onnx")]
fn pooling(config: &DescriptorConfig) -> (u32, GridPooling) {
    let pooling = match config.pooling {
        FeaturePooling::Avg => GridPooling::Average,
        FeaturePooling::Gem => GridPooling::GeneralizedMean { p: config.gem_p as f32 },
    };
    (config.spatial_grid, pooling)
}

#[cfg(not(feature = "onnx"))]
fn without() -> Error {
    Error::usage("this build has no networks (feature `onnx`); use another method")
}

/// A network that is ready.
#[derive(Debug)]
pub(super) struct Network {
    #[cfg(feature = "onnx")]
    model: DescriptorModel<OnnxSession>,
    #[cfg(feature = "onnx")]
    dim: usize,
}

impl Network {
    /// Descriptors of boxes of pictures, one behind the other.
    pub(super) fn describe(&mut self, src: &dyn FrameBatch, color: ColorSpec, boxes: &[CropBox]) -> Result<Vec<f32>> {
        #[cfg(feature = "onnx")]
        {
            let found = self.model.describe(src, color, boxes)?;
            if found.values.len() != boxes.len() * self.dim {
                let text = format!("{} numbers for {} pictures of {}", found.values.len(), boxes.len(), self.dim);
                return Err(Error::model("shape", text));
            }
            Ok(found.values)
        }
        #[cfg(not(feature = "onnx"))]
        {
            let _ = (src, color, boxes);
            Err(without())
        }
    }
}
