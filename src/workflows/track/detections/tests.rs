//! Files of detections: all formats, odd ones, broken ones.

use super::*;

fn read(name: &str, text: &str) -> Result<Detections> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    crate::store::commit(&crate::store::OsIo, &path, |w| std::io::Write::write_all(w, text.as_bytes())).unwrap();
    Detections::read(&path, 25.0)
}

fn boxes(d: &Detections) -> Vec<(u64, [f32; 4], f32, u32)> {
    let each = |f: &DetectionFrame| {
        let one = |d: &Detection| [d.rect.x, d.rect.y, d.rect.width, d.rect.height];
        f.detections.iter().map(|d| (f.index, one(d), d.score, d.class)).collect::<Vec<_>>()
    };
    d.frames.iter().flat_map(each).collect()
}

#[test]
fn mot_with_gaps_blanks_and_ground_truth() {
    let d = read("a.txt", "# made\n1,-1,10,20,30,40,0.5\n\n4 -1 1.5 2 3 4 0.25 2\r\n4,-1,0,0,0,5,1\n").unwrap();
    assert_eq!(boxes(&d), [(0, [10.0, 20.0, 30.0, 40.0], 0.5, 0), (3, [1.5, 2.0, 3.0, 4.0], 0.25, 2)]);
    assert_eq!((d.frames.len(), d.left_out, d.len(), d.is_empty()), (4, 1, 2, false));
    assert!((d.frames[3].seconds - 0.12).abs() < 1e-12);
    // Ground truth of MOT17: flag, class, visibility.
    let d = read("gt.txt", "1,1,10,20,30,40,1,1,0.8\n2,1,10,20,30,40,0,1,0.8\n").unwrap();
    assert_eq!((boxes(&d).len(), d.left_out, d.frames.len()), (1, 1, 2));
    assert!(read("e.txt", "").unwrap().frames.is_empty());
}

#[test]
fn coco_results_and_sets() {
    let d = read("a.json", r#"[{"image_id":3,"category_id":1,"bbox":[1,2,3,4],"score":0.5}]"#).unwrap();
    assert_eq!(boxes(&d), [(2, [1.0, 2.0, 3.0, 4.0], 0.5, 1)]);
    let d = read("a.json", r#"[{"image_id":0,"category_id":1,"bbox":[1,2,3,4],"segmentation":[]}]"#).unwrap();
    assert_eq!(boxes(&d), [(0, [1.0, 2.0, 3.0, 4.0], 1.0, 1)]);
    let set = r#"{"info":{},"images":[{"id":70,"file_name":"b"},{"id":7,"file_name":"a"},{"id":99}],
        "annotations":[{"id":1,"image_id":70,"category_id":18,"bbox":[1,2,3,4]},
            {"id":2,"image_id":70,"category_id":3,"bbox":[1,2,3,4],"iscrowd":1}],
        "categories":[{"id":18,"name":"dog"},{"id":3,"name":"car"}]}"#;
    let d = read("a.json", set).unwrap();
    assert_eq!(boxes(&d), [(1, [1.0, 2.0, 3.0, 4.0], 1.0, 1)]);
    assert_eq!((d.frames.len(), d.left_out, d.classes), (3, 1, vec!["car".to_owned(), "dog".to_owned()]));
}

#[test]
fn our_format_keeps_times_and_reads_back() {
    let text = "{\"schema\":\"track.detections\",\"version\":1,\"classes\":[\"person\"]}\n\
        {\"frame\":1,\"time\":0.5,\"detections\":[{\"box\":[1,2,3,4],\"score\":0.3}]}\n{\"frame\":4,\"time\":2.0}\n";
    let d = read("a.jsonl", text).unwrap();
    assert_eq!(d.classes, ["person"]);
    let times: Vec<f64> = d.frames.iter().map(|f| f.seconds).collect();
    for (a, b) in times.iter().zip([0.46, 0.5, 1.0, 1.5, 2.0]) {
        assert!((a - b).abs() < 1e-9, "{times:?}");
    }
    let mut written = Vec::new();
    write_jsonl(&mut written, &d).unwrap();
    assert_eq!(read("b.jsonl", std::str::from_utf8(&written).unwrap()).unwrap(), d);
}

#[test]
fn tracks_are_written_as_mot_and_read_back() {
    let rect = BoxF { x: 0.1, y: -2.0, width: 30.3, height: 1e-3 };
    let mut written = Vec::new();
    write_mot(&mut written, &[MotTrack { frame: 2, id: 9, rect, score: 0.7, class: 5 }]).unwrap();
    let text = String::from_utf8(written).unwrap();
    assert_eq!(text, "3,9,0.1,-2,30.3,0.001,0.7,5,-1,-1\n");
    assert_eq!(boxes(&read("t.txt", &text).unwrap()), [(2, [0.1, -2.0, 30.3, 1e-3], 0.7, 5)]);
}

#[test]
fn broken_files_say_where() {
    for (name, text, place) in [
        ("a.txt", "1,-1,1,2,3\n", "line 1"),
        ("a.txt", "1,-1,1,2,3,4\n1,-1,x,2,3,4\n", "line 2"),
        ("a.txt", "0,-1,1,2,3,4\n", "from 1"),
        ("a.txt", "1.5,-1,1,2,3,4\n", "from 1"),
        ("a.txt", "1,-1,1,2,nan,4\n", "finite"),
        ("a.txt", "1,-1,1,2,1e300,4\n", "finite"),
        ("a.txt", "1,-1,1,2,3,4,1,0.5\n", "class"),
        ("a.txt", "9000000,-1,1,2,3,4\n", "limit"),
        ("a.json", "{}", "images"),
        ("a.json", r#"{"images":[],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,4]}]}"#, "no image 1"),
        ("a.json", r#"{"images":[{"id":1},{"id":1}],"annotations":[]}"#, "same id"),
        ("a.json", r#"[{"image_id":1,"category_id":99999999999,"bbox":[1,2,3,4]}]"#, "category"),
        ("a.jsonl", "{\"frame\":2}\n{\"frame\":1}\n", "line 2"),
        ("a.jsonl", "{\"frame\":1,\"time\":2}\n{\"frame\":2,\"time\":1}\n", "backwards"),
        ("a.jsonl", "{\"frame\":1,\"boxes\":[]}\n", "line 1"),
        ("a.jsonl", "{\"schema\":\"track.detections\",\"version\":2}\n", "version"),
        ("a.xml", "", "extension"),
    ] {
        let e = read(name, text).unwrap_err().to_string();
        assert!(e.contains(place) || place == "version" && e.contains("is not"), "{name} {text}: {e}");
    }
    assert!(Detections::read(Path::new("no/such.txt"), 25.0).is_err());
    assert!(matches!(Detections::read(Path::new("a.txt"), 0.0), Err(Error::Parameter { .. })));
}
