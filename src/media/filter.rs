//! Filter graphs of FFmpeg over pictures of one size: a picture in, a picture out.

use ffmpeg_next as ff;
use ffmpeg_next::filter::Graph;
use ffmpeg_next::format::Pixel;

use super::ffmpeg::{self, no_memory};
use crate::core::{Rational, Size};
use crate::error::{Error, Result};

/// Filters that read or write files, open addresses, load code, or hand commands to other filters: FFmpeg gets no paths here.
#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "ametadata", "amovie", "arnndn", "asendcmd", "asr", "ass", "azmq", "cellauto", "coreimage", "coreimagesrc",
    "cover_rect", "ddagrab", "derain", "dnn_classify", "dnn_detect", "dnn_processing", "drawvg", "find_rect",
    "firequalizer", "flite", "frei0r", "frei0r_src", "fsync", "gfxcapture", "ladspa", "lensfun", "libplacebo",
    "libvmaf", "libvmaf_cuda", "life", "lut1d", "lut3d", "lv2", "metadata", "movie", "nnedi", "ocr", "ocv",
    "openclsrc", "program_opencl", "psnr", "qrencode", "qrencodesrc", "removelogo", "sendcmd", "showcqt", "signature",
    "sofalizer", "sr", "ssim", "ssim360", "subtitles", "vidstabdetect", "vidstabtransform", "vmafmotion", "whisper",
    "xpsnr", "zmq",
];

/// Options of other filters that name a file.
const FILE_OPTIONS: [&str; 8] = ["axisfile", "dumpfile", "file", "filename", "fontfile", "plot", "psfile", "textfile"];

/// Filters with such options, and how many of their options may come without a name: that of a file must not be among them.
const UNNAMED: [(&str, usize); 3] = [("curves", 1), ("deshake", 10), ("drawtext", 0)];

/// A filter graph over RGBA pictures. Filters that work on YUV get it through conversions that FFmpeg adds.
///
/// A filter may look at pictures before (`hqdn3d`), not at those that follow: for each picture one must come out at once.
pub struct FilterGraph {
    graph: Graph,
    size: Size,
    spec: String,
    input: ff::frame::Video,
    output: ff::frame::Video,
}

impl std::fmt::Debug for FilterGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilterGraph").field("spec", &self.spec).field("size", &self.size).finish_non_exhaustive()
    }
}

fn unusable(spec: &str, why: impl std::fmt::Display) -> Error {
    Error::Usage {
        message: format!("the filter graph `{spec}` cannot be used: {why}"),
        hint: Some("`ffmpeg -filters` lists filters, `ffmpeg -h filter=NAME` their options".into()),
    }
}

/// Checks what can be checked without a graph.
///
/// # Errors
/// [`Error::Usage`] for an empty graph, one with a zero byte, filters that open files or load code, options that name a file, and names of
/// filters with quotes or backslashes.
pub fn check_filter_graph(spec: &str) -> Result<()> {
    if spec.trim().is_empty() || spec.contains('\0') {
        return Err(unusable(&spec.replace('\0', "?"), "a list of filters is wanted, such as hqdn3d,unsharp"));
    }
    // Names stand before `=` or `@`; what is quoted may look like one, which only refuses more.
    let names = spec.split([',', ';', '[', ']']).filter_map(|part| part.split(['=', '@']).next()).map(str::trim);
    if let Some(name) = names.into_iter().find(|name| REFUSED.contains(name)) {
        return Err(unusable(spec, format!("`{name}` opens files or loads code")));
    }
    for (name, options) in filters(spec) {
        // FFmpeg takes them off, so that `'movie'` is a movie.
        if name.contains(['\'', '\\']) {
            return Err(unusable(spec, format!("the name of a filter has no quotes or backslashes, this has: {name}")));
        }
        let name = name.split('@').next().unwrap_or_default().trim();
        let (mut rest, mut unnamed) = (options.as_str(), 0);
        while !rest.trim_start_matches(BLANKS).is_empty() {
            let (key, after) = key(rest);
            match key {
                Some(key) if FILE_OPTIONS.contains(&key) => {
                    return Err(unusable(spec, format!("the option `{key}` of `{name}` names a file")));
                }
                Some(_) => {}
                None => unnamed += 1,
            }
            rest = token(after, ":").1;
            rest = rest.strip_prefix(':').unwrap_or(rest);
        }
        if UNNAMED.iter().any(|(filter, most)| *filter == name && unnamed > *most) {
            return Err(unusable(spec, format!("write the options of `{name}` with their names: some name a file")));
        }
    }
    Ok(())
}

/// What FFmpeg takes for blanks.
const BLANKS: [char; 4] = [' ', '\n', '\t', '\r'];

/// The filters of a graph in order, as FFmpeg takes it apart: the name as it is written, and the options without quotes and backslashes. Ends where
/// FFmpeg would find an error.
fn filters(spec: &str) -> Vec<(&str, String)> {
    let mut rest = spec.trim_start_matches(BLANKS);
    if rest.starts_with("sws_flags=") {
        rest = rest.split_once(';').map_or("", |(_, after)| after);
    }
    let mut found = Vec::new();
    loop {
        rest = labels(rest);
        let start = rest.trim_start_matches(BLANKS);
        rest = token(start, "=,;[").1;
        let name = start.get(..start.len() - rest.len()).unwrap_or_default();
        let mut options = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            (options, rest) = token(after, "[],;");
        }
        found.push((name, options));
        rest = labels(rest);
        match rest.strip_prefix([',', ';']) {
            Some(after) => rest = after,
            None => return found,
        }
    }
}

/// What follows the labels of inputs or outputs, and blanks.
fn labels(text: &str) -> &str {
    let mut rest = text.trim_start_matches(BLANKS);
    while let Some(after) = rest.strip_prefix('[') {
        let end = token(after, "]").1;
        rest = end.strip_prefix(']').unwrap_or_default().trim_start_matches(BLANKS);
    }
    rest
}

/// A piece of `text` up to one of the characters of `end`, quotes and backslashes taken off, and what follows: `av_get_token` of FFmpeg.
fn token<'a>(text: &'a str, end: &str) -> (String, &'a str) {
    let mut out = String::new();
    let mut rest = text.trim_start_matches(BLANKS);
    while let Some(c) = rest.chars().next().filter(|c| !end.contains(*c)) {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match (c, rest.chars().next()) {
            ('\\', Some(next)) => {
                out.push(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
            ('\'', _) => {
                let (quoted, after) = rest.split_once('\'').unwrap_or((rest, ""));
                out.push_str(quoted);
                rest = after;
            }
            _ => out.push(c),
        }
    }
    (out, rest)
}

/// The name of an option, where it has one, and what follows it and `=`.
fn key(text: &str) -> (Option<&str>, &str) {
    let start = text.trim_start_matches(BLANKS);
    let after = start.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c));
    let name = start.get(..start.len() - after.len()).filter(|n| !n.is_empty());
    match (name, after.trim_start_matches(BLANKS).strip_prefix('=')) {
        (Some(name), Some(value)) => (Some(name), value),
        _ => (None, text),
    }
}

/// Version of the library of filters in use, for run keys: `libavfilter 8.44.100`.
pub fn filter_version() -> String {
    let v = ff::filter::version();
    format!("libavfilter {}.{}.{}", v >> 16, (v >> 8) & 0xff, v & 0xff)
}

impl FilterGraph {
    /// A graph as the `ffmpeg` command takes it after `-vf`, over pictures of `size` whose times are in units of `time_base`.
    ///
    /// # Errors
    /// [`Error::Usage`] for what FFmpeg does not take, and for what [`check_filter_graph`] refuses.
    pub fn open(spec: &str, size: Size, time_base: Rational) -> Result<Self> {
        ffmpeg::init();
        check_filter_graph(spec)?;
        let failed = |e: ff::Error| unusable(spec, e);
        let mut graph = Graph::new();
        let ends = ff::filter::find("buffer").zip(ff::filter::find("buffersink"));
        let (source, sink) = ends.ok_or_else(|| unusable(spec, "the linked FFmpeg has no filters"))?;
        let Size { width, height } = size;
        let (num, den) = (time_base.num, time_base.den);
        let from = format!("video_size={width}x{height}:pix_fmt=rgba:time_base={num}/{den}:pixel_aspect=1/1");
        graph.add(&source, "in", &from).map_err(failed)?;
        graph.add(&sink, "out", "").map_err(failed)?.set_pixel_format(Pixel::RGBA);
        graph.output("in", 0).and_then(|p| p.input("out", 0)).and_then(|p| p.parse(spec)).map_err(failed)?;
        graph.validate().map_err(failed)?;
        let input = ff::frame::Video::new(Pixel::RGBA, width, height);
        if input.planes() == 0 {
            return Err(no_memory(size.area() as usize * 4));
        }
        Ok(Self { graph, size, spec: spec.to_owned(), input, output: ff::frame::Video::empty() })
    }

    /// The next picture: RGBA in rows without padding, and its time. Gives size and RGBA of what comes out.
    ///
    /// # Errors
    /// [`Error::Usage`] when the graph keeps the picture back, gives several for one, or fails; [`Error::Bug`] for bytes of another size.
    pub fn run(&mut self, rgba: &[u8], pts: i64) -> Result<(Size, Vec<u8>)> {
        let row = self.size.width as usize * 4;
        if rgba.len() as u64 != self.size.area() * 4 {
            return Err(Error::Bug(format!("{} bytes for a picture of {}", rgba.len(), self.size)));
        }
        // The graph may still hold the memory of the picture before.
        self.input = ff::frame::Video::new(Pixel::RGBA, self.size.width, self.size.height);
        if self.input.planes() == 0 {
            return Err(no_memory(rgba.len()));
        }
        let stride = self.input.stride(0);
        for (to, from) in self.input.data_mut(0).chunks_mut(stride.max(1)).zip(rgba.chunks_exact(row.max(1))) {
            if let Some(to) = to.get_mut(..row) {
                to.copy_from_slice(from);
            }
        }
        self.input.set_pts(Some(pts));
        let spec = self.spec.clone();
        let failed = |e: ff::Error| unusable(&spec, e);
        let lost = || Error::Bug("a filter graph without ends".into());
        self.graph.get("in").ok_or_else(lost)?.source().add(&self.input).map_err(failed)?;
        let mut sink = self.graph.get("out").ok_or_else(lost)?;
        if sink.sink().frame(&mut self.output).is_err() {
            return Err(unusable(&spec, "it keeps pictures back; one must come out for each that goes in"));
        }
        let size = Size::new(self.output.width(), self.output.height());
        let (row, stride) = (size.width as usize * 4, self.output.stride(0));
        let rows = self.output.data(0).chunks(stride.max(1)).take(size.height as usize);
        let out: Vec<u8> = rows.flat_map(|r| r.get(..row).unwrap_or_default()).copied().collect();
        let mut more = ff::frame::Video::empty();
        if sink.sink().frame(&mut more).is_ok() {
            return Err(unusable(&spec, "it gives several pictures for one"));
        }
        if out.len() as u64 != size.area() * 4 || self.output.format() != Pixel::RGBA {
            return Err(Error::Bug(format!("a filter graph gave {:?} {size}", self.output.format())));
        }
        Ok((size, out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Rational = Rational { num: 1, den: 25 };

    fn picture(size: Size) -> Vec<u8> {
        (0..size.area() as usize * 4).map(|i| if i % 4 == 3 { 255 } else { (i * 7 % 251) as u8 }).collect()
    }

    #[test]
    fn pictures_go_through_and_come_out() {
        let size = Size::new(33, 17);
        let rgba = picture(size);
        let mut same = FilterGraph::open("null", size, BASE).unwrap();
        let mut turned = FilterGraph::open("hflip,negate", size, BASE).unwrap();
        let mut large = FilterGraph::open("scale=66:34", size, BASE).unwrap();
        for pts in 0..3 {
            assert_eq!(same.run(&rgba, pts).unwrap(), (size, rgba.clone()));
            let (_, got) = turned.run(&rgba, pts).unwrap();
            assert_eq!(got[0], 255 - rgba[32 * 4]);
            assert_eq!(large.run(&rgba, pts).unwrap().0, Size::new(66, 34));
        }
    }

    #[test]
    fn a_filter_remembers_the_pictures_before() {
        let size = Size::new(16, 16);
        let mut graph = FilterGraph::open("hqdn3d=0:0:20:20", size, BASE).unwrap();
        let black = [0, 0, 0, 255].repeat(256);
        let gray = [20, 20, 20, 255].repeat(256);
        (0..5).for_each(|pts| drop(graph.run(&black, pts).unwrap()));
        let (_, out) = graph.run(&gray, 5).unwrap();
        assert!(out[0] < 20, "{}", out[0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let size = Size::new(16, 16);
        for bad in ["", "nosuchfilter", "hqdn3d=nonsense=1", "movie=/etc/passwd", "null[a];[a]movie=x", "x\0y", "split"]
        {
            let e = FilterGraph::open(bad, size, BASE).map(drop).unwrap_err();
            assert_eq!(e.code(), "usage", "{bad:?}: {e}");
        }
        // Two pictures for one; none for the first.
        let mut doubled = FilterGraph::open("framerate=fps=50", size, BASE).unwrap();
        assert!((0..4).any(|pts| doubled.run(&picture(size), pts).is_err()));
        let mut graph = FilterGraph::open("null", size, BASE).unwrap();
        assert!(graph.run(&[0; 8], 0).is_err());
    }

    #[test]
    fn what_opens_files_is_refused_however_it_is_written() {
        for bad in [
            "movie=a.mp4",
            " movie@one=a.mp4",
            "'movie'=a.mp4",
            "m\\ovie=a.mp4",
            "mo'vi'e=a.mp4",
            "null;[in]'amovie'=a.mp4[out]",
            "sws_flags=bicubic;'movie'=a.mp4",
            "null,metadata=print:file=/tmp/x",
            "sendcmd=f=commands",
            "split[a][b];[a][b]psnr=f=log",
            "lut3d=a.cube",
            "nnedi=weights=a.bin",
            "vidstabtransform",
            "curves=psfile=a.acv",
            "curves=vintage:plot=/tmp/x",
            "curves=vintage : 'psfile' = a.acv",
            "curves=all='0/0 1/1':ps\\file=a.acv",
            "curves=none:0/0:0/0:0/0:0/0:0/0:a.acv",
            "drawtext=a.ttf",
            "drawtext=text='a\\,b':textfile=/etc/passwd",
            "negate,drawtext=fontfile=a.ttf:text=x",
            "deshake=filename=log",
            "deshake=-1:-1:-1:-1:16:16:1:8:125:0:log",
        ] {
            let e = check_filter_graph(bad).unwrap_err();
            assert_eq!(e.code(), "usage", "{bad:?}: {e}");
        }
        for good in [
            "unsharp=5:5:1.5",
            "tmix=frames=3:weights='1 2 1'",
            "curves=vintage",
            "curves=preset=none:all='0/0 0.5/0.6 1/1'",
            "geq=lum='p(X\\,Y)':cb=128:cr=128",
            "split[a][b];[a]hflip[c];[b][c]blend=all_mode=average",
            "drawtext=text='the file\\: [here]; file=x':x=1",
            "sws_flags=bicubic;scale=32:32,format=rgba",
            "deshake=rx=8:ry=8",
        ] {
            check_filter_graph(good).unwrap();
        }
    }
}
