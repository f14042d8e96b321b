//! What a session runs on. A provider is chosen, never guessed: one that is missing is an error, not a slower run.

use std::str::FromStr;

use ort::ep::{
    CPU, CUDA, CoreML, DirectML, ExecutionProvider, ExecutionProviderDispatch, MIGraphX, OpenVINO, QNN, TensorRT,
    WebGPU, XNNPACK,
};

use super::runtime::{RuntimeInfo, environment};
use crate::error::{Error, Result};

/// Execution provider of ONNX Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Provider {
    /// The processor. In every runtime.
    #[default]
    Cpu,
    /// NVIDIA GPUs through CUDA and cuDNN.
    Cuda,
    /// NVIDIA GPUs through TensorRT; CUDA takes what it leaves.
    TensorRt,
    /// Any GPU through WebGPU (Dawn; it shares no memory with this library's device).
    WebGpu,
    /// Apple's Neural Engine, GPU and processor.
    CoreMl,
    /// GPUs on Windows.
    DirectMl,
    /// Intel processors, GPUs and NPUs.
    OpenVino,
    /// AMD GPUs.
    MiGraphX,
    /// The processor, with kernels made for phones.
    Xnnpack,
    /// Qualcomm NPUs.
    Qnn,
}

impl Provider {
    /// All providers with their names.
    pub const ALL: [(&'static str, Self); 10] = [
        ("cpu", Self::Cpu),
        ("cuda", Self::Cuda),
        ("tensorrt", Self::TensorRt),
        ("webgpu", Self::WebGpu),
        ("coreml", Self::CoreMl),
        ("directml", Self::DirectMl),
        ("openvino", Self::OpenVino),
        ("migraphx", Self::MiGraphX),
        ("xnnpack", Self::Xnnpack),
        ("qnn", Self::Qnn),
    ];

    /// Name, as options take it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, p)| *p == self).map_or("", |(name, _)| name)
    }

    /// Whether the loaded runtime was built with it. It may still fail for lack of a driver or device: then making a session fails.
    fn is_built_in(self) -> bool {
        let answer = match self {
            Self::Cpu => CPU::is_available(),
            Self::Cuda => CUDA::is_available(),
            Self::TensorRt => TensorRT::is_available(),
            Self::WebGpu => WebGPU::is_available(),
            Self::CoreMl => CoreML::is_available(),
            Self::DirectMl => DirectML::is_available(),
            Self::OpenVino => OpenVINO::is_available(),
            Self::MiGraphX => MIGraphX::is_available(),
            Self::Xnnpack => XNNPACK::is_available(),
            Self::Qnn => QNN::is_available(),
        };
        answer.unwrap_or(false)
    }

    /// Providers that the runtime was built with.
    ///
    /// # Errors
    /// Those of [`super::load_runtime`].
    pub fn available() -> Result<Vec<Self>> {
        environment()?;
        Ok(Self::ALL.into_iter().map(|(_, p)| p).filter(|p| p.is_built_in()).collect())
    }

    /// What is registered with a session, in order of preference.
    pub(super) fn dispatch(self, device: Option<u32>, runtime: &RuntimeInfo) -> Result<Vec<ExecutionProviderDispatch>> {
        let refuse = |message: String| Err(Error::Model { cause: "provider", message });
        if !self.is_built_in() {
            let there: Vec<&str> = Self::ALL.iter().filter(|(_, p)| p.is_built_in()).map(|(n, _)| *n).collect();
            return refuse(format!(
                "`{self}` is not in this ONNX Runtime ({} at {}); it has {}",
                runtime.version,
                runtime.path.display(),
                there.join(", ")
            ));
        }
        let id = match device.map(i32::try_from) {
            None => 0,
            Some(Ok(id)) => id,
            Some(Err(_)) => return refuse(format!("a device number must be below 2^31, got {}", device.unwrap_or(0))),
        };
        let numbered =
            matches!(self, Self::Cuda | Self::TensorRt | Self::WebGpu | Self::DirectMl | Self::MiGraphX | Self::Qnn);
        if device.is_some() && !numbered {
            return refuse(format!("`{self}` takes no device number"));
        }
        let list = match self {
            // Registered by name also where it is the only one: with an empty list the runtime would choose by itself.
            Self::Cpu => vec![CPU::default().with_arena_allocator(true).build()],
            Self::Cuda => vec![CUDA::default().with_device_id(id).build()],
            Self::TensorRt => {
                vec![TensorRT::default().with_device_id(id).build(), CUDA::default().with_device_id(id).build()]
            }
            Self::WebGpu => vec![WebGPU::default().with_device_id(id).build()],
            Self::CoreMl => vec![CoreML::default().build()],
            Self::DirectMl => vec![DirectML::default().with_device_id(id).build()],
            Self::OpenVino => vec![OpenVINO::default().build()],
            Self::MiGraphX => vec![MIGraphX::default().with_device_id(id).build()],
            Self::Xnnpack => vec![XNNPACK::default().build()],
            Self::Qnn => vec![QNN::default().with_device_id(id).build()],
        };
        Ok(list.into_iter().map(ExecutionProviderDispatch::error_on_failure).collect())
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, p)| *p).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            Error::usage(format!("a provider must be one of {}, got `{text}`", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for (name, provider) in Provider::ALL {
            assert_eq!((name.parse::<Provider>().unwrap(), provider.to_string().as_str()), (provider, name));
        }
        assert!("gpu".parse::<Provider>().unwrap_err().to_string().contains("cpu, cuda, tensorrt"));
    }
}
