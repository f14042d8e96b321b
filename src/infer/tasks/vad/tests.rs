use super::super::io_roles::tests::{entry, info};
use super::*;
use crate::infer::io::Outputs;
use crate::infer::tensor::{TensorData, TensorSlice};

/// A host's runtime: the probability is the first new sample; the state counts windows, and the context must be the end of the last one.
struct Echo {
    inputs: Vec<IoInfo>,
    outputs: Vec<IoInfo>,
    windows: Vec<Vec<f32>>,
}

impl Echo {
    fn new() -> Self {
        let inputs = vec![
            info("r", ElementType::I64, &[]),
            info("a", ElementType::F32, &[-1, -1]),
            info("s", ElementType::F32, &[2, -1, 4]),
        ];
        let outputs = vec![info("sn", ElementType::F32, &[-1, -1, -1]), info("p", ElementType::F32, &[-1, 1])];
        Self { inputs, outputs, windows: vec![] }
    }
}

impl TensorModel for Echo {
    fn inputs(&self) -> &[IoInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[IoInfo] {
        &self.outputs
    }

    fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
        let get = |name: &str| inputs.iter().find(|i| i.name == name).unwrap().tensor;
        let TensorSlice::I64(rate) = get("r").data else { panic!("integers") };
        let TensorSlice::F32(audio) = get("a").data else { panic!("floats") };
        let TensorSlice::F32(state) = get("s").data else { panic!("floats") };
        let (hop, context) = if rate[0] == 16_000 { (512, 64) } else { (256, 32) };
        assert_eq!(get("a").shape, [1, hop + context]);
        assert_eq!(get("s").shape, [2, 1, 4]);
        assert_eq!(state[0], self.windows.len() as f32, "the state is carried");
        let before = self.windows.last().map_or(vec![0.0; context], |w| w[hop..].to_vec());
        assert_eq!(audio[..context], before[..], "the context is the end of the window before");
        self.windows.push(audio.to_vec());
        let next = Tensor { shape: vec![2, 1, 4], data: TensorData::F32(vec![state[0] + 1.0; 8]) };
        Ok(Outputs::new(vec![("sn".into(), next), ("p".into(), Tensor::f32([1, 1], vec![audio[context]])?)]))
    }
}

fn vad(model: &Echo) -> Vad {
    Vad::new(&entry(Task::Vad), &model.inputs, &model.outputs).unwrap()
}

/// Samples whose windows have these probabilities.
fn samples(probabilities: &[f32], hop: usize) -> Vec<f32> {
    probabilities.iter().flat_map(|p| vec![*p; hop]).collect()
}

/// Segments of probabilities as the rules say, by a plain pass over all of them with everything known, as an oracle for the stream.
fn plain(p: &[f32], hop: u64, rate: u64, total: u64, silence: u64) -> Vec<(u64, u64)> {
    let ms = |v: u64| v * rate / 1000;
    let (mut found, mut i) = (vec![], 0);
    while i < p.len() {
        if p[i] < 0.5 {
            i += 1;
            continue;
        }
        let start = i as u64 * hop;
        // Ends at the first fall after which no window reaches the threshold before the silence is long enough.
        let (mut fall, mut end) = (None, None);
        for (j, q) in p.iter().enumerate().skip(i) {
            i = j + 1;
            if *q >= 0.5 {
                fall = None;
            } else if *q < 0.35 {
                let f = *fall.get_or_insert(j as u64 * hop);
                if j as u64 * hop - f >= ms(silence) {
                    end = Some(f);
                    break;
                }
            }
        }
        let end = end.unwrap_or(total);
        if end - start > ms(250) {
            found.push((start, end));
        }
    }
    let gaps: Vec<u64> = found.windows(2).map(|w| w[1].0 - w[0].1).collect();
    let share = |g: u64| if g < 2 * ms(30) { g / 2 } else { ms(30) };
    let n = found.len();
    let grown = |(i, (s, e)): (usize, &(u64, u64))| {
        let before = if i == 0 { ms(30) } else { share(gaps[i - 1]) };
        let after = if i + 1 == n { ms(30) } else { share(gaps[i]) };
        (s.saturating_sub(before), (e + after).min(total))
    };
    found.iter().enumerate().map(grown).collect()
}

#[test]
fn segments_by_hand() {
    // 16 kHz, windows of 32 ms. Speech of 10 windows, a dip of 2 between the thresholds, 5 more, then silence.
    let p =
        [vec![0.1; 4], vec![0.9; 10], vec![0.4; 2], vec![0.6; 5], vec![0.1; 10], vec![0.9; 3], vec![0.0; 9]].concat();
    let mut model = Echo::new();
    let v = vad(&model);
    let got = v.segments(&mut model, &samples(&p, 512), 16_000, &v.options()).unwrap();
    // Starts with window 4, falls with window 21; 3 windows are 96 ms: too short. Padding 480 samples.
    assert_eq!(got, [SpeechSegment { start: 4 * 512 - 480, end: 21 * 512 + 480 }]);
    assert_eq!(got[0].seconds(16_000).0, (4.0 * 512.0 - 480.0) / 16_000.0);
}

#[test]
fn the_stream_gives_what_the_whole_gives_however_it_is_cut() {
    let mut seed = 7u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f32 / 2f32.powi(31)
    };
    for trial in 0..40 {
        let (rate, hop) = if trial % 2 == 0 { (16_000, 512) } else { (8_000, 256) };
        // Runs of random length, so that every rule is met.
        let mut p = vec![];
        while p.len() < 300 {
            let (level, n) = (random(), 1 + (random() * 14.0) as usize);
            p.extend((0..n).map(|_| (level + 0.2 * (random() - 0.5)).clamp(0.0, 1.0)));
        }
        let mut all = samples(&p, hop);
        let cut = (random() * hop as f32) as usize;
        all.truncate(all.len() - cut.min(hop - 1));
        // With little silence between them, segments share their gaps.
        let silence = [100, 30, 0][trial % 3];
        let wanted = plain(&p, hop as u64, u64::from(rate), all.len() as u64, u64::from(silence));
        let options = SpeechOptions { min_silence_ms: silence, ..SpeechOptions::default() };
        let mut model = Echo::new();
        let mut stream = vad(&model).stream(rate, &options).unwrap();
        let (mut got, mut seen, mut rest) = (vec![], vec![], &all[..]);
        while !rest.is_empty() {
            let n = ((random() * 2000.0) as usize).clamp(1, rest.len());
            let out = stream.push(&mut model, &rest[..n]).unwrap();
            assert_eq!(out.first_window, seen.len() as u64);
            seen.extend(out.probabilities);
            got.extend(out.segments);
            rest = &rest[n..];
        }
        let out = stream.finish(&mut model).unwrap();
        seen.extend(out.probabilities);
        got.extend(out.segments);
        assert_eq!(seen, p);
        let got: Vec<(u64, u64)> = got.iter().map(|s| (s.start, s.end)).collect();
        assert_eq!(got, wanted, "trial {trial}");
        assert!(wanted.len() > 1);
    }
}

/// The loop of the authors' `get_speech_timestamps` with `max_speech_duration_s`, in samples of 16 kHz, without its padding. Zero stands for
/// nothing, as there.
fn authors(p: &[f32], total: usize, (silence, most): (usize, usize)) -> Vec<(usize, usize)> {
    let ms = |v: usize| v * 16;
    let most = ms(most) - 512 - 2 * ms(30);
    let (mut triggered, mut start, mut temp_end, mut prev_end, mut next_start) = (false, 0, 0, 0, 0);
    let mut found = vec![];
    for (i, q) in p.iter().enumerate() {
        let now = i * 512;
        if *q >= 0.5 && temp_end > 0 {
            temp_end = 0;
            if next_start < prev_end {
                next_start = now;
            }
        }
        if *q >= 0.5 && !triggered {
            (triggered, start) = (true, now);
            continue;
        }
        if triggered && now - start > most {
            if prev_end > 0 {
                found.push((start, prev_end));
                if next_start < prev_end {
                    triggered = false;
                } else {
                    start = next_start;
                }
                (prev_end, next_start, temp_end) = (0, 0, 0);
            } else {
                found.push((start, now));
                (prev_end, next_start, temp_end, triggered) = (0, 0, 0, false);
                continue;
            }
        }
        if *q < 0.35 && triggered {
            if temp_end == 0 {
                temp_end = now;
            }
            if now - temp_end > ms(98) {
                prev_end = temp_end;
            }
            if now - temp_end >= ms(silence) {
                if temp_end - start > ms(250) {
                    found.push((start, temp_end));
                }
                (prev_end, next_start, temp_end, triggered) = (0, 0, 0, false);
            }
        }
    }
    if triggered && total - start > ms(250) {
        found.push((start, total));
    }
    found
}

/// Long speech is cut where the authors cut it; no segment is longer than what was asked for.
#[test]
fn long_speech_is_cut_at_pauses() {
    let mut seed = 3u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f32 / 2f32.powi(31)
    };
    let (mut cut, mut whole) = (0, 0);
    for trial in 0..60 {
        let mut p = vec![];
        while p.len() < 400 {
            // Mostly speech, with pauses of up to 10 windows.
            let speech = p.len() % 2 == 0 || random() < 0.6;
            let (level, n) = if speech { (0.75, 3.0 + random() * 30.0) } else { (0.15, 1.0 + random() * 9.0) };
            p.extend((0..n as usize).map(|_| level + 0.5 * (random() - 0.5)));
        }
        let silence = [400, 250, 0][trial % 3];
        let most = [1000, 2000, 5000, 700][trial % 4];
        let all = samples(&p, 512);
        // Without padding the segments themselves are compared; the limit counts the padding of the authors' default in both.
        let options = SpeechOptions { min_silence_ms: silence, max_speech_ms: Some(most), ..SpeechOptions::default() };
        let mut model = Echo::new();
        let got = vad(&model).segments(&mut model, &all, 16_000, &options).unwrap();
        let bare = authors(&p, all.len(), (silence as usize, most as usize));
        let share = |gap: usize| if gap < 960 { gap / 2 } else { 480 };
        let wanted: Vec<(u64, u64)> = (0..bare.len())
            .map(|i| {
                let before = if i == 0 { 480 } else { share(bare[i].0 - bare[i - 1].1) };
                let after = bare.get(i + 1).map_or(480, |next| share(next.0 - bare[i].1));
                (bare[i].0.saturating_sub(before) as u64, (bare[i].1 + after).min(all.len()) as u64)
            })
            .collect();
        let got: Vec<(u64, u64)> = got.iter().map(|s| (s.start, s.end)).collect();
        assert_eq!(got, wanted, "trial {trial}");
        assert!(got.iter().all(|s| s.1 - s.0 <= u64::from(most) * 16), "trial {trial}: {got:?}");
        let unlimited = SpeechOptions { max_speech_ms: None, ..options };
        let mut model = Echo::new();
        cut += got.len();
        whole += vad(&model).segments(&mut model, &all, 16_000, &unlimited).unwrap().len();
    }
    assert!(cut > 2 * whole, "{cut} segments instead of {whole}");
}

#[test]
fn every_option_changes_something() {
    let p = [vec![0.1; 4], vec![0.55; 9], vec![0.2; 5], vec![0.9; 20], vec![0.4; 8], vec![0.1; 4]].concat();
    let all = samples(&p, 512);
    let run = |o: SpeechOptions| {
        let mut model = Echo::new();
        vad(&model).segments(&mut model, &all, 16_000, &o).unwrap()
    };
    let base = SpeechOptions::default();
    let usual = run(base);
    assert_eq!(usual.len(), 2);
    for o in [
        SpeechOptions { threshold: 0.6, ..base },
        SpeechOptions { negative_threshold: 0.45, ..base },
        SpeechOptions { min_speech_ms: 300, ..base },
        SpeechOptions { min_silence_ms: 200, ..base },
        SpeechOptions { padding_ms: 0, ..base },
        SpeechOptions { max_speech_ms: Some(500), ..base },
    ] {
        assert_ne!(run(o), usual, "{o:?}");
    }
}

#[test]
fn silence_nothing_and_nonsense() {
    let mut model = Echo::new();
    let v = vad(&model);
    let o = v.options();
    assert_eq!(v.segments(&mut model, &[], 16_000, &o).unwrap(), []);
    assert!(model.windows.is_empty(), "no sample, no window");
    assert_eq!(v.segments(&mut model, &[0.0; 9000], 16_000, &o).unwrap(), []);
    assert!(v.stream(44_100, &o).unwrap_err().to_string().contains("44100"));
    assert!(v.stream(16_000, &SpeechOptions { threshold: f32::NAN, ..o }).is_err());
    assert!(v.stream(16_000, &SpeechOptions { negative_threshold: 0.6, ..o }).is_err());
    let short = v.stream(16_000, &SpeechOptions { max_speech_ms: Some(92), ..o }).unwrap_err().to_string();
    assert!(short.contains("max_speech_ms") && short.contains("over 92"), "{short}");
    assert!(v.stream(16_000, &SpeechOptions { max_speech_ms: Some(93), ..o }).is_ok());
    let mut stateless = Echo::new();
    stateless.outputs.remove(0);
    assert!(Vad::new(&entry(Task::Vad), &stateless.inputs, &stateless.outputs).is_err());
    let mut odd = entry(Task::Vad);
    odd.numbers.insert("hop".into(), 0.5);
    assert!(Vad::new(&odd, &model.inputs, &model.outputs).is_err());
}
