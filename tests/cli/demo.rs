//! `frameloom demo`: a page that leads to what the commands on it made.

use std::path::Path;

use super::support::{clip, code, run, stderr};

/// What stands in `attribute="..."`, each time.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(start.as_str()).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect()
}

#[test]
fn its_page_leads_to_what_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let video = clip(dir.path(), "my clip.mp4", "testsrc2=size=128x72:rate=10:duration=2", &["-c:v", "libx264"]);
    let out = dir.path().join("demo");
    let words = |list: &[&str], paths: [&Path; 2]| {
        let mut args: Vec<std::ffi::OsString> = list.iter().map(Into::into).collect();
        args.extend(["-o".into(), paths[0].into(), "--video".into(), paths[1].into()]);
        args
    };
    let args = words(&["demo", "--only", "analyze,heatmap,plan,collage"], [&out, &video]);
    let o = run(&args.iter().map(std::ffi::OsString::as_os_str).collect::<Vec<_>>());
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let html = std::fs::read_to_string(out.join("index.html")).unwrap();
    let links = values(&html, "href");
    for page in ["./analyze/report.html", "./plan/report.html", "./collage/report.html"] {
        assert!(links.contains(&page), "{page} of {links:?}");
    }
    for link in links {
        assert!(out.join(link).is_file(), "{link}");
    }
    // The commands are shown as a shell takes them.
    let text = html.replace("<span>", "").replace("</span>", "");
    assert!(text.contains("frameloom analyze &#x27;") && text.contains("my clip.mp4&#x27;"), "{html}");
    assert!(html.contains("20 frames, the file is complete"));
    assert_eq!(std::fs::read_dir(out.join("pictures")).unwrap().count(), 300);

    // What fails is on the page as well, and in the exit code.
    let missing = dir.path().join("missing.mp4");
    let args = words(&["demo", "--only", "analyze"], [&dir.path().join("other"), &missing]);
    let o = run(&args.iter().map(std::ffi::OsString::as_os_str).collect::<Vec<_>>());
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let html = std::fs::read_to_string(dir.path().join("other/index.html")).unwrap();
    assert!(html.contains("1 failed") && html.contains("exit code 4"), "{html}");
}
