//! What the tests of pictures, speech and masks share.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::{BoxRect, Fit, Size, TensorPlace, TensorSpec};
use frameloom::infer::tasks::PlanarPicture;
use frameloom::infer::{
    ModelEntry, ModelRegistry, NamedTensor, OnnxSession, Outputs, SessionOptions, Task, Tensor, TensorModel,
};
use serde_json::Value;

/// The folder of real test data, or a loud line.
pub fn data(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from);
    if found.is_none() {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A tiny graph of the repository, by its name in the manifest.
pub fn tiny(task: Task, name: &str) -> (ModelEntry, OnnxSession) {
    let registry = ModelRegistry::open(&[root().join("tests/fixtures/models")]).unwrap();
    let model = registry.load_for(task, name, Default::default()).unwrap();
    (model.entry.clone(), OnnxSession::open(&model, &SessionOptions::default()).unwrap())
}

/// A real model of the test data, with the entry that the repository has for it.
pub fn real(data: &Path, task: Task, file: &str) -> (ModelEntry, OnnxSession) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root().join("scripts/data_models.toml"), folder.path().join("models.toml")).unwrap();
    let registry = ModelRegistry::open(&[folder.path().to_path_buf()]).unwrap();
    let model = registry.load_file(&data.join("onnx").join(file), task, Default::default()).unwrap();
    (model.entry.clone(), OnnxSession::open(&model, &SessionOptions::default()).unwrap())
}

/// Reference values of a real model.
pub fn golden(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join(format!("tests/golden/infer/real_{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Numbers of a list of a reference file.
pub fn numbers(value: &Value, pointer: &str) -> Vec<f64> {
    let list = value.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is missing")).as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap()).collect()
}

/// An RGB picture of 8 bits.
pub fn png(path: &Path) -> PlanarPicture {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let size = Size::new(info.width, info.height);
    match info.color_type {
        png::ColorType::Rgb => PlanarPicture::from_rgb8(size, &bytes).unwrap(),
        png::ColorType::Rgba => {
            let rgb: Vec<u8> = bytes.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
            PlanarPicture::from_rgb8(size, &rgb).unwrap()
        }
        other => panic!("{}: {other:?}", path.display()),
    }
}

/// What `ffmpeg` writes to its output for these arguments; setup installs it.
pub fn ffmpeg(input: &Path, args: &[&str]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-i"]).arg(input).args(args).arg("-");
    let out = command.output().expect("ffmpeg");
    if !out.status.success() {
        std::io::stderr().write_all(&out.stderr).unwrap();
        panic!("ffmpeg on {}", input.display());
    }
    out.stdout
}

/// As `cv2.resize` with `INTER_LINEAR`: between the four nearest centres, however much smaller.
pub fn linear(picture: &PlanarPicture, size: Size) -> PlanarPicture {
    let (from, mut values) = (picture.size(), vec![]);
    let axis = |i: u32, from: u32, to: u32| {
        let x = ((f64::from(i) + 0.5) * f64::from(from) / f64::from(to) - 0.5).clamp(0.0, f64::from(from - 1));
        let low = x.floor() as usize;
        (low, (low + 1).min(from as usize - 1), (x - x.floor()) as f32)
    };
    for plane in picture.planes() {
        for y in 0..size.height {
            let (y0, y1, v) = axis(y, from.height, size.height);
            for x in 0..size.width {
                let (x0, x1, u) = axis(x, from.width, size.width);
                let row = |y: usize| {
                    plane[y * from.width as usize + x0] * (1.0 - u) + plane[y * from.width as usize + x1] * u
                };
                values.push(row(y0) * (1.0 - v) + row(y1) * v);
            }
        }
    }
    PlanarPicture::new(size, picture.channels(), values).unwrap()
}

/// A picture as the tensor of a model that takes three channels, and where it lies in it.
pub fn tensor(entry: &ModelEntry, picture: &PlanarPicture, size: Size) -> (Tensor, TensorPlace) {
    let input = entry.picture.clone().unwrap_or_default();
    let spec: TensorSpec = input.spec(size);
    assert_eq!(spec.fit, Fit::Stretch);
    let place =
        TensorPlace::new(&spec, BoxRect { x: 0, y: 0, width: picture.size().width, height: picture.size().height });
    let small = linear(picture, size);
    let (w, h) = (size.width as usize, size.height as usize);
    let value = |c: usize, i: usize| small.plane(c)[i] * spec.mul[c] + spec.add[c];
    let nhwc = input.tensor_layout() == frameloom::core::TensorLayout::Nhwc;
    let (shape, values): (_, Vec<f32>) = if nhwc {
        ([1, h, w, 3], (0..w * h).flat_map(|i| (0..3).map(move |c| value(c, i))).collect())
    } else {
        ([1, 3, h, w], (0..3).flat_map(|c| (0..w * h).map(move |i| value(c, i))).collect())
    };
    (Tensor::f32(shape, values).unwrap(), place)
}

/// Runs a model of one input.
pub fn run(session: &mut OnnxSession, tensor: &Tensor) -> Outputs {
    let name = session.inputs()[0].name.clone();
    session.run(&[NamedTensor { name: &name, tensor: tensor.view() }]).unwrap()
}

/// Noise of a fixed seed, RGB.
pub fn noise(w: u32, h: u32) -> PlanarPicture {
    let bytes: Vec<u8> = (0..w * h * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    PlanarPicture::from_rgb8(Size::new(w, h), &bytes).unwrap()
}

/// The largest difference of two pictures.
pub fn worst(a: &PlanarPicture, b: &PlanarPicture) -> f32 {
    assert_eq!((a.size(), a.channels()), (b.size(), b.channels()));
    a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
