//! The pages that the workflows write: they load nothing, are read without scripts and without eyes, and stay small.

use std::path::{Path, PathBuf};

use super::support::{clip, code, run, stderr};

/// Largest page, in bytes.
const MOST: usize = 5 << 20;

/// Tags with their attributes, in order. Our pages escape `<` in text, so that every `<` begins one.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).map(|piece| {
        let mut quoted = false;
        let end = piece.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        &piece[..end.expect("a tag ends")]
    })
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split_once('"').map(|(value, _)| value)
}

/// What a person would miss on this page.
pub(crate) fn faults(html: &str, folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(what);
    if html.len() > MOST {
        fault(format!("{} bytes are more than {MOST}", html.len()));
    }
    let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map_or("", |(t, _)| t);
    if title.trim().is_empty() {
        fault("no title".into());
    }
    let policy = tags(html).filter(|t| attribute(t, "http-equiv") == Some("Content-Security-Policy"));
    if !policy.filter_map(|t| attribute(t, "content")).any(|p| p.starts_with("default-src 'none'")) {
        fault("no policy that forbids requests".into());
    }
    let style = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(s, _)| s);
    if ["url(", "@import"].iter().any(|load| style.contains(load)) || !style.contains("prefers-color-scheme: dark") {
        fault("the style loads something, or knows no dark colours".into());
    }
    let (mut words, mut figures) = (0, 0);
    for tag in tags(html) {
        let name = tag.split([' ', '/', '>']).next().unwrap();
        match name {
            "html" if attribute(tag, "lang").is_none_or(str::is_empty) => fault("no language".into()),
            "script" | "iframe" | "object" | "embed" | "link" => fault(format!("<{name}>")),
            "img" if attribute(tag, "alt").is_none_or(|alt| alt.trim().is_empty()) => {
                fault(format!("a picture without words: {}", tag.chars().take(60).collect::<String>()));
            }
            "svg" if !html.contains("role=\"img\"><title>") => fault("a drawing without words".into()),
            "dt" | "th" | "dd" | "td" | "p" => words += 1,
            _ => {}
        }
        figures += usize::from(matches!(name, "img" | "svg"));
        for address in ["src", "href", "xlink:href", "action", "poster"] {
            let Some(value) = attribute(tag, address) else { continue };
            let inside = value.starts_with("data:image/") || value.starts_with('#');
            let near = !value.contains("//") && !value.contains(':') && address == "href";
            if near && !value.starts_with('#') && !folder.join(value.replace("%20", " ")).exists() {
                fault(format!("{value} is not there"));
            }
            if !inside && !near {
                fault(format!("{address} leads to {}", value.chars().take(60).collect::<String>()));
            }
        }
    }
    if words < 4 || figures == 0 {
        fault(format!("{words} pieces of text and {figures} figures are in the page itself"));
    }
    faults
}

/// Pages below `folder`.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "html") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_workflow_writes_a_page_that_anybody_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let source = "testsrc2=size=256x144:rate=10:duration=2";
    let video = clip(dir.path(), "a clip.mp4", source, &["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    let out = dir.path().join("demo");
    let only = "analyze,heatmap,plan,chunk,curate,collage,track";
    let (out_text, video_text) = (out.to_str().unwrap(), video.to_str().unwrap());
    let o = run(&["demo", "--only", only, "-o", out_text, "--video", video_text]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let compared = dir.path().join("compared");
    let pictures = out.join("pictures");
    let words = ["collage", "compare", video_text, pictures.to_str().unwrap(), "-o", compared.to_str().unwrap()];
    let o = run(&[&words[..], &["--frames", "2", "--demo-images", "20"]].concat());
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let all: Vec<PathBuf> = pages(&out).into_iter().chain(pages(&compared)).collect();
    let names: Vec<String> =
        all.iter().map(|p| p.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned()).collect();
    for wanted in
        ["analyze/report", "plan/report", "curate/review", "collage/report", "track/report", "demo/index", "comparison"]
    {
        assert!(names.iter().any(|n| n.contains(wanted)), "no {wanted} in {names:?}");
    }
    let mut faulty = Vec::new();
    for (path, name) in all.iter().zip(&names) {
        let html = std::fs::read_to_string(path).unwrap();
        faulty.extend(faults(&html, path.parent().unwrap()).into_iter().map(|f| format!("{name}: {f}")));
    }
    assert!(faulty.is_empty(), "{faulty:#?}");
}

/// The check sees what it is for.
#[test]
fn a_bad_page_has_faults() {
    let good = "<html lang=\"en\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\"><title>t</title><style>\
                prefers-color-scheme: dark</style><img src=\"data:image/png;base64,AA\" alt=\"a\"><p>1</p><p>3</p><p>4</p><dd>2</dd>";
    let none = Path::new("/");
    assert_eq!(faults(good, none), [""; 0]);
    for (from, to) in [
        (" lang=\"en\"", ""),
        ("<title>t", "<title>"),
        ("alt=\"a\"", "alt=\"\""),
        ("data:image/png;base64,AA", "https://example.org/a.png"),
        ("<p>1</p>", "<script>1</script>"),
        ("<p>1</p>", "<a href=\"missing.csv\">1</a><p></p>"),
        ("default-src 'none'", "default-src *"),
        ("<dd>2</dd>", ""),
        ("prefers-color-scheme: dark", "a { background: url(x.png) } prefers-color-scheme: dark"),
    ] {
        let bad = good.replace(from, to);
        assert!(bad != good && !faults(&bad, none).is_empty(), "{to}");
    }
}
