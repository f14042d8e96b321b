//! Networks of real speakers: a folder that lists those of the test data.

use std::path::Path;

/// A folder with the networks that the measuring of lips takes, from the test data in `root`.
pub fn speech_models(root: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/data_models.toml");
    std::fs::copy(list, folder.path().join("models.toml")).unwrap();
    for file in ["yunet_n_dynamic.onnx", "mediapipe_face_landmark_468.onnx", "mobilefacenet_112.onnx"] {
        std::fs::copy(root.join("onnx").join(file), folder.path().join(file)).unwrap();
    }
    folder
}
