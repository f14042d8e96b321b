//! The page: nothing of it is obeyed that was meant to be read, nothing is loaded, and it is always the same.

use frameloom::report::{Card, HtmlTable, ImageItem, LinePlot, Note, Page, Tile, Tone};
use frameloom::store::OsIo;

use super::sample::{noise, page};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&{{ 7*7 }}{% raw %}</style></title>";

/// Everywhere that text can be given.
fn hostile_page() -> String {
    let plot = LinePlot::new(HOSTILE, HOSTILE)
        .series(HOSTILE, [(0.0, Some(0.0)), (100.0, Some(1.0))])
        .series(HOSTILE, [(0.0, Some(0.0))])
        .threshold(0.5, HOSTILE)
        .marker(0.0, HOSTILE, Tone::Bad)
        .band(0.0, 1.0, HOSTILE, Tone::Bad);
    let plot = plot.x_axis(frameloom::report::XAxis::Number(HOSTILE.into()));
    Page::new(HOSTILE)
        .subtitle(HOSTILE)
        .badge(Tone::Bad, HOSTILE)
        .tiles([Tile::new(HOSTILE, HOSTILE).unit(HOSTILE).note(HOSTILE)])
        .section(HOSTILE)
        .plot(plot)
        .histogram(frameloom::report::Histogram::new(HOSTILE, HOSTILE, 0.0, 1.0, vec![1, 2]).threshold(0.5, HOSTILE))
        .images([ImageItem::png(b"not a png", HOSTILE).note(HOSTILE)])
        .table(HtmlTable::new(HOSTILE).text(HOSTILE).number(HOSTILE, HOSTILE).row([HOSTILE, HOSTILE]).more(HOSTILE))
        .cards([Card::new(HOSTILE, HOSTILE).link([HOSTILE]).image(b"not a png", HOSTILE).line(HOSTILE).code(HOSTILE)])
        .notes([Note::new(Tone::Warn, HOSTILE)])
        .text(HOSTILE)
        .footer(HOSTILE, HOSTILE)
        .render()
        .unwrap()
}

#[test]
fn hostile_names_are_shown_and_not_obeyed() {
    let html = hostile_page();
    // The text is there, escaped, in every place: 12 in blocks and plots of three widths.
    assert!(html.matches("&lt;script&gt;").count() > 30, "{}", html.matches("&lt;script&gt;").count());
    assert!(!html.contains("<script") && !html.contains("<img src=x") && !html.contains("\"'>"));
    assert_eq!(html.matches("</style>").count(), 1);
    assert_eq!(html.matches("<img ").count(), 2);
    assert!(html.contains("<a href=\"./%3Cscript%3Ealert"));
    assert!(html.contains("{{ 7*7 }}") && !html.contains("&49"));
}

/// Tags opened and closed, read by a small parser of our own: quoted attributes, no stray `<`.
#[test]
fn tags_are_balanced() {
    for html in [hostile_page(), page("clip.mp4").render().unwrap()] {
        let body = html.split_once("</style>").unwrap().1;
        let mut open: Vec<&str> = vec!["html", "head"];
        for piece in body.split('<').skip(1) {
            let mut quoted = false;
            let end = piece.find(|c| {
                quoted ^= c == '"';
                c == '>' && !quoted
            });
            let tag = &piece[..end.expect("a tag ends")];
            let name = tag.trim_start_matches('/').split([' ', '/', '>']).next().unwrap();
            match (tag.starts_with('/'), tag.ends_with('/')) {
                (true, _) => assert_eq!(open.pop(), Some(name)),
                (false, true) => {}
                (false, false) if name == "img" => {}
                (false, false) => open.push(name),
            }
        }
        assert_eq!(open, [""; 0]);
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let html = page("clip.mp4").render().unwrap();
    let mut rest = String::new();
    for (i, piece) in html.split("src=\"data:image/png;base64,").enumerate() {
        rest.push_str(if i == 0 { piece } else { piece.split_once('"').unwrap().1 });
    }
    for word in ["http:", "https:", "//", "url(", "@import", "<link", "<script", "<iframe", " on", "javascript:"] {
        let found =
            rest.to_lowercase().find(word).map(|at| rest[at.saturating_sub(30)..].chars().take(80).collect::<String>());
        // " on" is a word in sentences; as an attribute it is followed by letters and '='.
        let handler = |text: &str| {
            text.split(" on").skip(1).any(|t| {
                t.split('=')
                    .next()
                    .is_some_and(|n| n.chars().all(char::is_alphabetic) && !n.is_empty() && t.contains('='))
            })
        };
        assert!(if word == " on" { !handler(&rest) } else { found.is_none() }, "{word}: {found:?}");
    }
    assert!(rest.contains("Content-Security-Policy") && rest.contains("default-src 'none'"));
    assert!(rest.contains("prefers-color-scheme: dark") && rest.contains("@media print") && rest.contains("viewport"));
}

#[test]
fn the_same_page_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let first = page("clip.mp4").write(&OsIo, folder.path().join("a.html")).unwrap();
    let second = page("clip.mp4").write(&OsIo, folder.path().join("b.html")).unwrap();
    assert_eq!((first.bytes, first.blake3), (second.bytes, second.blake3));
    assert_ne!(first.blake3, blake3_of("other.mp4"));
    assert!(first.bytes < 300_000, "{}", first.bytes);
}

fn blake3_of(name: &str) -> frameloom::store::Hash {
    let folder = tempfile::tempdir().unwrap();
    page(name).write(&OsIo, folder.path().join("x.html")).unwrap().blake3
}

#[test]
fn a_plot_of_three_hours_stays_small_and_keeps_its_peak() {
    let mut random = noise(5);
    let mut wobble = 0.0;
    let points: Vec<(f64, Option<f64>)> = (0..324_000)
        .map(|i| {
            wobble = 0.98 * wobble + 0.02 * random();
            (f64::from(i) / 30.0, Some(if i == 200_000 { 9.0 } else { wobble }))
        })
        .collect();
    let plot = LinePlot::new("sharpness", "1").series("sharpness", points);
    let html = Page::new("t").plot(plot.clone()).render().unwrap();
    assert!(html.len() < 100_000, "{}", html.len());
    // The peak of 9 on an axis to 10: it must come near the upper edge, in every width.
    for width in [1040, 640, 340] {
        let svg = plot.svg(width);
        let path = svg.split("class=\"line s1\" d=\"M").nth(1).unwrap().split('"').next().unwrap();
        let (mut y, mut least) = (0.0, f64::MAX);
        for (i, pair) in path.split('l').enumerate() {
            let at = pair.rfind([' ', '-']).unwrap();
            let value: f64 = pair[at..].trim().parse().unwrap();
            y = if i == 0 { value.abs() } else { y + value };
            least = f64::min(least, y);
        }
        assert!(least < 60.0, "{width}: the highest point is at {least}");
    }
}

#[test]
fn figures_have_names_for_those_who_cannot_see_them() {
    let html = page("clip.mp4").render().unwrap();
    assert_eq!(html.matches("role=\"img\"><title>").count(), 3 * 3);
    assert_eq!(html.matches("<img ").count(), html.matches(" alt=\"").count());
    assert!(html.contains("<html lang=\"en\">") && html.contains("<th scope=\"col\""));
}
