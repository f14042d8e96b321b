use std::path::{Path, PathBuf};

use frameloom::Error;
use frameloom::infer::{
    Allow, ExternalFile, ModelEntry, ModelRegistry, NamedTensor, OnnxSession, Outputs, SessionOptions, Task, Tensor,
    TensorModel, VerifiedModel, write_manifest,
};

use crate::onnx::{self, Dim};

/// The folder of real test data, or a loud line.
pub fn test_data(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from);
    if found.is_none() {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
    }
    found
}

pub fn cause<T: std::fmt::Debug>(result: frameloom::Result<T>) -> &'static str {
    match result {
        Err(Error::Model { cause, .. }) => cause,
        other => panic!("no error of a model: {other:?}"),
    }
}

pub fn message<T: std::fmt::Debug>(result: frameloom::Result<T>) -> String {
    result.expect_err("an error").to_string()
}

/// SHA-256 by the tool of the system: not the code under test.
pub fn sha256(path: &Path) -> String {
    let out = std::process::Command::new("sha256sum").arg(path).output().expect("sha256sum");
    assert!(out.status.success(), "{}", path.display());
    String::from_utf8_lossy(&out.stdout).split_whitespace().next().unwrap().trim_start_matches('\\').to_owned()
}

/// A folder with models and a manifest that lists them.
pub struct Folder {
    pub dir: tempfile::TempDir,
    pub entries: Vec<ModelEntry>,
}

impl Folder {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), entries: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, file: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a model and lists it under the name of the file.
    pub fn list(&mut self, file: &str, task: Task, bytes: &[u8]) -> &mut ModelEntry {
        let path = self.write(file, bytes);
        let name = file.trim_end_matches(".onnx").replace('/', "-");
        self.entries.push(ModelEntry::new(name, task, file, sha256(&path)));
        self.entries.last_mut().unwrap()
    }

    /// Writes a file of weights and lists it for the last model.
    pub fn weights(&mut self, file: &str, bytes: &[u8]) {
        let path = self.write(file, bytes);
        let listed = ExternalFile { file: file.into(), sha256: sha256(&path) };
        self.entries.last_mut().unwrap().external.push(listed);
    }

    pub fn registry(&self) -> ModelRegistry {
        std::fs::write(self.path().join("models.toml"), write_manifest(&self.entries).unwrap()).unwrap();
        ModelRegistry::open(&[self.path().to_path_buf()]).unwrap()
    }

    pub fn load(&self, name: &str) -> frameloom::Result<VerifiedModel> {
        self.registry().load(name, Allow::Pinned)
    }

    pub fn open(&self, name: &str, options: &SessionOptions) -> frameloom::Result<OnnxSession> {
        OnnxSession::open(&self.load(name)?, options)
    }
}

/// `y = x + (1, 2, 3, 4)` on rows of four numbers.
pub fn plus(batch: Dim<'_>) -> Vec<u8> {
    onnx::add(batch, 4, onnx::tensor("w", &[4], &[1.0, 2.0, 3.0, 4.0]))
}

/// A session of one model.
pub fn session_of(bytes: &[u8], options: &SessionOptions) -> OnnxSession {
    let mut folder = Folder::new();
    folder.list("m.onnx", Task::Embed, bytes);
    folder.open("m", options).unwrap()
}

pub fn run(session: &mut OnnxSession, inputs: &[(&str, &Tensor)]) -> frameloom::Result<Outputs> {
    let named: Vec<NamedTensor<'_>> = inputs.iter().map(|(name, t)| NamedTensor { name, tensor: t.view() }).collect();
    session.run(&named)
}

/// Rows of four numbers that all differ.
pub fn rows(count: usize) -> Tensor {
    Tensor::f32([count, 4], (0..count * 4).map(|i| i as f32 * 0.5 - 3.0).collect()).unwrap()
}
