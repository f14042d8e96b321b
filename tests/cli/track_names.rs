//! `track --recognise`: a real HTTP server on this machine that knows the figures of a scene, and all the ways in which it may fail.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use frameloom::core::Limits;
use frameloom::media::{DecodeHint, decode_image_bytes};
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::support::*;
use crate::track::{door, item, stable, text, track};

/// How the server behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Names figures: by object in even questions, by a box around the head in odd ones.
    Good,
    /// The same after a time.
    Slow(Duration),
    /// Busy at first, every time.
    Busy,
    Broken,
    Garbage,
    /// Takes the question and says nothing.
    Hang,
}

/// A server, what it was asked, and how it behaves.
struct Server {
    url: String,
    mode: Arc<Mutex<Mode>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/who", listener.local_addr().unwrap());
        let (mode, asked) = (Arc::new(Mutex::new(Mode::Good)), Arc::<Mutex<Vec<Value>>>::default());
        let server = Self { url, mode: Arc::clone(&mode), asked: Arc::clone(&asked) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (mode, asked) = (*mode.lock().unwrap(), Arc::clone(&asked));
                std::thread::spawn(move || serve(stream, mode, &asked));
            }
        });
        server
    }

    fn becomes(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
        self.asked.lock().unwrap().clear();
    }

    fn questions(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, mode: Mode, asked: &Mutex<Vec<Value>>) {
    let Some(question) = request(&mut stream) else { return };
    let first = {
        let mut asked = asked.lock().unwrap();
        let first = !asked.iter().any(|q| q["frame"] == question["frame"]);
        asked.push(question.clone());
        first
    };
    let good = || ("200 OK", answer(&question).to_string());
    let (status, body) = match mode {
        Mode::Good => good(),
        Mode::Slow(time) => {
            std::thread::sleep(time);
            good()
        }
        Mode::Busy if first => ("429 Too Many Requests\r\nRetry-After: 0", "later".into()),
        Mode::Busy => good(),
        Mode::Broken => ("500 Internal Server Error", "out of order".into()),
        Mode::Garbage => ("200 OK", "{\"people\": \"anna\"}".into()),
        Mode::Hang => {
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// Pixels of the scene for one of the question's picture.
fn scale(question: &Value) -> f64 {
    640.0 / question["width"].as_f64().unwrap()
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Who is in the frame of a question, from the truth: figures as `figure N`, now and then with a weak wrong name before it.
fn answer(question: &Value) -> Value {
    let (frame, scale) = (question["frame"].as_u64().unwrap(), scale(question));
    let by_box = (frame / 10) % 2 == 1;
    let mut people = Vec::new();
    for (figure, [x, y, w, h]) in Scene::door().boxes(frame as usize) {
        let name = format!("figure {figure}");
        if by_box {
            let head = [x + 0.2 * w, y + 2.0, 0.6 * w, 0.25 * h].map(|v| v / scale);
            people.push(json!({ "name": name, "confidence": 91.5, "box": head }));
            continue;
        }
        for (at, object) in question["objects"].as_array().unwrap().iter().enumerate() {
            let b: Vec<f64> = numbers(&object["box"]).iter().map(|v| v * scale).collect();
            let middle = [b[0] + b[2] / 2.0, b[1] + b[3] / 2.0];
            if (x..x + w).contains(&middle[0]) && (y..y + h).contains(&middle[1]) {
                people.push(json!({ "name": "nobody", "confidence": 20, "object": at }));
                people.push(json!({ "name": name, "confidence": 80.0, "object": at }));
            }
        }
    }
    json!({ "people": people, "model": "truth" })
}

/// The scene with the door, tracked into a folder of this name with these flags.
struct Door {
    folder: tempfile::TempDir,
    clip: PathBuf,
    zones: PathBuf,
}

impl Door {
    fn new() -> Self {
        let (folder, clip, zones) = door();
        Self { folder, clip, zones }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn track(&self, name: &str, flags: &[&str]) -> (PathBuf, Value) {
        let out = self.at(name);
        let o = track(&[&[text(&self.clip), "-o", text(&out), "--zones", text(&self.zones)][..], flags].concat());
        assert_eq!(code(&o), 0, "{name}: {}", stderr(&o));
        (out, item(&o)["outcome"].clone())
    }
}

fn result(folder: &Path) -> Value {
    crate::track::json(&folder.join("result.json"))
}

/// All nine figures, each one object.
fn all_known(outcome: &Value) {
    let names = outcome["identities"].as_object().unwrap();
    let wanted: Vec<String> = (0..9).map(|i| format!("figure {i}")).collect();
    assert_eq!(names.keys().cloned().collect::<Vec<_>>(), wanted, "{outcome}");
    assert!(names.values().all(|ids| ids.as_array().unwrap().len() == 1), "{outcome}");
}

#[test]
fn tracks_get_names_and_nothing_depends_on_how_fast_they_come() {
    let (door, server) = (Door::new(), Server::new());
    let (plain, none) = door.track("plain", &[]);
    assert_eq!(none["identities"], json!({}));
    let ask =
        ["--recognise", &server.url, "--recognise-every", "10", "--recognise-side", "320", "--recognise-queue", "40"];
    let (fast, outcome) = door.track("fast", &ask);
    all_known(&outcome);
    // The tracks are those of a run that asks nobody.
    let of = |folder: &Path, file: &str| std::fs::read(folder.join(file)).unwrap();
    for file in ["tracks.csv", "tracks.mot.txt", "counts.csv", "heat.npy", "detections.parquet"] {
        assert_eq!(of(&plain, file), of(&fast, file), "{file}");
    }
    let told = result(&fast);
    let counts = json!({"url": server.url, "every": 10, "side": 320, "questions": 30, "answered": 30, "failed": 0, "dropped": 0});
    assert_eq!(
        (&told["recogniser"], &told["aws_api_calls"], &told["aws_frame_skip"]),
        (&counts, &30.into(), &10.into())
    );
    let timing = |key: &str| told["performance_timings"][key].as_f64().unwrap();
    assert!(timing("aws_detection") > 0.0 && timing("recognition_answers") > 0.0);
    assert_eq!(result(&plain)["aws_api_calls"], 0);
    // Questions hold the picture and what is in it.
    let questions = server.questions();
    assert_eq!(questions.len(), 30);
    for q in &questions {
        assert_eq!((&q["width"], &q["height"]), (&320.into(), &180.into()));
        let frame = q["frame"].as_u64().unwrap() as usize;
        assert!((q["seconds"].as_f64().unwrap() - frame as f64 / 25.0).abs() < 1e-6 && frame.is_multiple_of(10));
        let jpeg = base64::engine::general_purpose::STANDARD.decode(q["image"].as_str().unwrap()).unwrap();
        let picture = decode_image_bytes(&jpeg, Path::new("q"), &Limits::default(), DecodeHint::default()).unwrap();
        assert_eq!((picture.size.width, picture.size.height), (320, 180));
        for (figure, [x, y, w, h]) in Scene::door().boxes(frame).into_iter().filter(|(_, b)| b[2] > 20.0) {
            let at = ((y + h / 2.0) / 2.0) as usize * 320 + ((x + w / 2.0) / 2.0) as usize;
            let color = Scene::door().figures[figure].color;
            let near = (0..3).all(|c| picture.rgba[at * 4 + c].abs_diff(color[c]) < 40);
            assert!(near, "frame {frame}, figure {figure}: {:?} for {color:?}", &picture.rgba[at * 4..at * 4 + 3]);
        }
    }
    let objects = questions.iter().map(|q| q["objects"].as_array().unwrap().len()).sum::<usize>();
    assert!(objects > 60, "{objects}");
    // Names stand where people look for them.
    let table = String::from_utf8(of(&fast, "objects.csv")).unwrap();
    assert!(table.lines().next().unwrap().ends_with("identity,identity_confidence"), "{table}");
    let confidence = |l: &str| l.rsplit(',').next().unwrap().parse::<f64>().unwrap();
    assert!(table.lines().skip(1).all(|l| l.contains(",figure ") && (80.0..=91.5).contains(&confidence(l))), "{table}");
    assert!(String::from_utf8(of(&fast, "events.csv")).unwrap().lines().skip(1).all(|l| l.contains(",figure ")));
    assert!(String::from_utf8(of(&fast, "report.html")).unwrap().contains("figure 3"));
    // A slow server, a busy one, another batch size: the same bytes.
    for (name, mode, batch) in
        [("slow", Mode::Slow(Duration::from_millis(120)), "1"), ("busy", Mode::Busy, "20"), ("again", Mode::Good, "5")]
    {
        server.becomes(mode);
        let (out, outcome) = door.track(name, &[&ask[..], &["--batch-size", batch]].concat());
        all_known(&outcome);
        assert_eq!(stable(&out), stable(&fast), "{name}");
        assert_eq!(server.questions().len(), if mode == Mode::Busy { 60 } else { 30 }, "{name}");
    }
    // Tracked again by other rules, without video and without a question: the same people.
    server.becomes(Mode::Broken);
    std::fs::rename(&door.clip, door.at("gone.mp4")).unwrap();
    let again = door.at("rules");
    let flags = ["report", "--from", text(&fast), "-o", text(&again), "--tracker", "oc-sort"];
    let o = track(&flags);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    all_known(&item(&o)["outcome"]);
    assert!(server.questions().is_empty());
    assert_eq!((&result(&again)["aws_api_calls"], &result(&again)["recogniser"]), (&0.into(), &counts));
    // Surer than it ever was: nobody is known.
    let o = track(&[&flags[..5], &["--recognise-confidence", "95"]].concat());
    assert_eq!((code(&o), &item(&o)["outcome"]["identities"]), (0, &json!({})), "{}", stderr(&o));
}

#[test]
fn a_server_that_fails_costs_names_and_nothing_else() {
    let (door, server) = (Door::new(), Server::new());
    let (plain, _) = door.track("plain", &[]);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = format!("http://{gone}/who");
    let cases = [
        ("broken", Mode::Broken, &server.url, "status 500"),
        ("garbage", Mode::Garbage, &server.url, "not what was asked for"),
        ("hang", Mode::Hang, &server.url, "400ms"),
        ("gone", Mode::Good, &gone, "refused"),
    ];
    for (name, mode, url, why) in cases {
        server.becomes(mode);
        let began = Instant::now();
        let flags = [
            "--recognise",
            url,
            "--recognise-every",
            "10",
            "--recognise-queue",
            "40",
            "--recognise-timeout",
            "0.4",
            "--recognise-attempts",
            "2",
        ];
        let (out, outcome) = door.track(name, &flags);
        assert_eq!(outcome["identities"], json!({}), "{name}");
        let told = result(&out);
        assert_eq!(
            (&told["recogniser"]["failed"], &told["recogniser"]["answered"]),
            (&30.into(), &0.into()),
            "{name}: {told}"
        );
        let notes = told["notes"].to_string();
        assert!(notes.contains("30 failed") && notes.contains(why), "{name}: {notes}");
        for file in ["tracks.csv", "tracks.coco.json", "heat.npy"] {
            assert_eq!(
                std::fs::read(plain.join(file)).unwrap(),
                std::fs::read(out.join(file)).unwrap(),
                "{name} {file}"
            );
        }
        // Five in a row, those that were under way beside them, and no more: nobody waits 30 times for one that is gone.
        let calls = told["aws_api_calls"].as_u64().unwrap();
        let most = if mode == Mode::Broken { 12 } else { 6 };
        assert!((5..=most).contains(&calls), "{name}: {calls}");
        assert!(began.elapsed() < Duration::from_secs(60), "{name}: {:?}", began.elapsed());
    }
    // What cannot be an address or a key is refused before anything is done.
    for flags in [
        &["--recognise", "localhost"][..],
        &["--recognise", "http://key@h/who"],
        &["--recognise", &gone, "--recognise-key", "FRAMELOOM_NO_SUCH_KEY"],
        &["--recognise", &gone, "--recognise-queue", "0"],
        &["--recognise", ""],
    ] {
        let o = track(&[&[text(&door.clip), "-o", text(&door.at("never"))][..], flags].concat());
        assert_eq!(code(&o), 2, "{flags:?}: {}", stderr(&o));
    }
}

#[test]
fn questions_without_room_are_dropped_and_counted_and_no_frame_waits() {
    let (door, server) = (Door::new(), Server::new());
    server.becomes(Mode::Slow(Duration::from_millis(700)));
    let flags = ["--recognise-every", "5", "--recognise-queue", "1", "--recognise-workers", "1"];
    let began = Instant::now();
    let (out, outcome) = door.track("full", &[&["--recognise", &server.url], &flags[..]].concat());
    let took = began.elapsed();
    let told = result(&out);
    let count = |key: &str| told["recogniser"][key].as_u64().unwrap();
    assert_eq!((count("questions"), count("failed")), (60, 0));
    assert!(count("dropped") > 0 && count("answered") > 0 && count("dropped") + count("answered") == 60, "{told}");
    assert_eq!(server.questions().len() as u64, count("answered"));
    assert!(told["notes"].to_string().contains("found no room"), "{}", told["notes"]);
    // 60 answers would take 42 s.
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(outcome["objects"], 9);
    let lines = std::fs::read_to_string(out.join("answers.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 60);
}

/// A tiny network finds the same rectangles in every frame; the run that asks about them is killed again and again.
#[cfg(feature = "onnx")]
#[test]
fn a_run_that_was_killed_asks_what_was_open_and_ends_with_the_same_bytes() {
    let (door, server) = (Door::new(), Server::new());
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let args = |out: &Path| -> Vec<String> {
        let words = [text(&door.clip), "-o", text(out), "--detector", "yolox-like", "--models", text(&models)];
        let ask = ["--recognise", &server.url, "--recognise-every", "10", "--recognise-queue", "40"];
        words.iter().chain(&ask).map(|w| (*w).to_owned()).collect()
    };
    let whole = door.at("whole");
    let of = |args: &[String]| track(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code(&of(&args(&whole))), 0);
    let wanted = result(&whole)["recogniser"].clone();
    assert_eq!((&wanted["questions"], &wanted["answered"]), (&30.into(), &30.into()));
    server.becomes(Mode::Slow(Duration::from_millis(200)));
    let killed = door.at("killed");
    for millis in [500, 1000, 1700] {
        let mut child =
            frameloom().arg("track").args(args(&killed)).args(["-q", "--progress", "none"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let o = of(&args(&killed));
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(stable(&whole), stable(&killed));
    assert!(leftovers(&killed).is_empty());
}
