//! From FFmpeg's colour codes (ITU-T H.273 numbers) to [`ColorSpec`], and to names for reports.

use super::streams::RawColor;
use crate::core::{ChromaSiting, ColorRange, ColorSpec, YuvMatrix};

/// Colour of a picture, and what had to be assumed.
pub(crate) struct Resolved {
    pub(crate) spec: ColorSpec,
    pub(crate) notes: Vec<String>,
}

/// Resolves the codes of a frame. `full_by_format` is set by pixel formats that imply full range (yuvj420p and RGB);
/// `centred` by codecs whose chroma lies in the centre unless stated (MPEG-1, JPEG).
pub(crate) fn resolve(raw: RawColor, height: u32, full_by_format: bool, centred: bool) -> Resolved {
    let assumed = ColorSpec::assumed_for_height(height);
    let mut notes = Vec::new();
    let matrix = match raw.matrix {
        1 => YuvMatrix::Bt709,
        5 | 6 => YuvMatrix::Bt601,
        9 => YuvMatrix::Bt2020,
        2 | 3 => {
            notes.push(format!(
                "the stream names no colour matrix: {} assumed by picture height",
                assumed.matrix.name()
            ));
            assumed.matrix
        }
        0 => assumed.matrix, // RGB: used only where it is converted, which goes by what is said here
        other => {
            let near = if other == 10 { YuvMatrix::Bt2020 } else { YuvMatrix::Bt601 };
            let name = matrix_name(other).unwrap_or("unknown");
            notes.push(format!("the colour matrix `{name}` is treated as {}", near.name()));
            near
        }
    };
    let range = match raw.range {
        2 => ColorRange::Full,
        1 if !full_by_format => ColorRange::Limited,
        _ if full_by_format => ColorRange::Full,
        _ => {
            notes.push("the stream names no colour range: limited assumed".into());
            ColorRange::Limited
        }
    };
    let siting = match raw.siting {
        1 => ChromaSiting::Left,
        2 => ChromaSiting::Center,
        3 => ChromaSiting::TopLeft,
        0 if centred => ChromaSiting::Center,
        0 => {
            notes.push("the stream names no chroma position: left assumed".into());
            ChromaSiting::Left
        }
        _ => {
            notes.push("the chroma position of the stream is not supported: left used".into());
            ChromaSiting::Left
        }
    };
    Resolved { spec: ColorSpec { matrix, range, siting }, notes }
}

fn pick(names: &[&'static str], code: i32) -> Option<&'static str> {
    usize::try_from(code).ok().and_then(|i| names.get(i)).copied().filter(|n| !n.is_empty())
}

/// Name of a matrix code, `None` where unspecified.
pub(crate) fn matrix_name(code: i32) -> Option<&'static str> {
    let names = ["rgb", "bt709", "", "", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c"];
    pick(&names, code).or(match code {
        11 => Some("smpte2085"),
        12 => Some("chroma-derived-nc"),
        13 => Some("chroma-derived-c"),
        14 => Some("ictcp"),
        _ => None,
    })
}

/// Name of a range code.
pub(crate) fn range_name(code: i32) -> Option<&'static str> {
    pick(&["", "limited", "full"], code)
}

/// Name of a primaries code.
pub(crate) fn primaries_name(code: i32) -> Option<&'static str> {
    let names = [
        "",
        "bt709",
        "",
        "",
        "bt470m",
        "bt470bg",
        "smpte170m",
        "smpte240m",
        "film",
        "bt2020",
        "smpte428",
        "smpte431",
        "smpte432",
    ];
    pick(&names, code)
}

/// Name of a transfer code.
pub(crate) fn transfer_name(code: i32) -> Option<&'static str> {
    let names = [
        "",
        "bt709",
        "",
        "",
        "gamma22",
        "gamma28",
        "smpte170m",
        "smpte240m",
        "linear",
        "log100",
        "log316",
        "iec61966-2-4",
        "bt1361e",
        "iec61966-2-1",
        "bt2020-10",
        "bt2020-12",
        "smpte2084",
        "smpte428",
        "arib-std-b67",
    ];
    pick(&names, code)
}

/// Name of a chroma position code.
pub(crate) fn siting_name(code: i32) -> Option<&'static str> {
    pick(&["", "left", "center", "topleft", "top", "bottomleft", "bottom"], code)
}

/// Name of a field order code.
pub(crate) fn field_order_name(code: i32) -> Option<&'static str> {
    pick(&["", "progressive", "tt", "bb", "tb", "bt"], code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNSPECIFIED: RawColor = RawColor { matrix: 2, range: 0, primaries: 2, transfer: 2, siting: 0 };

    #[test]
    fn what_is_not_stated_is_assumed_and_noted() {
        let r = resolve(UNSPECIFIED, 480, false, false);
        assert_eq!((r.spec, r.notes.len()), (ColorSpec::BT601, 3));
        assert_eq!(resolve(UNSPECIFIED, 1080, false, false).spec, ColorSpec::BT709);
        let r = resolve(UNSPECIFIED, 480, true, true);
        assert_eq!((r.spec.range, r.spec.siting), (ColorRange::Full, ChromaSiting::Center));
    }

    #[test]
    fn what_is_stated_wins() {
        let raw = RawColor { matrix: 9, range: 2, primaries: 9, transfer: 16, siting: 3 };
        let r = resolve(raw, 100, false, true);
        assert_eq!(
            r.spec,
            ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Full, siting: ChromaSiting::TopLeft }
        );
        assert!(r.notes.is_empty());
        assert_eq!((matrix_name(9), transfer_name(16), primaries_name(2)), (Some("bt2020nc"), Some("smpte2084"), None));
    }
}
