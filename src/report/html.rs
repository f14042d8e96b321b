//! The report that people open: one HTML file, nothing loaded from elsewhere, no script.

use std::path::Path;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::card::Card;
use super::histogram::Histogram;
use super::html_blocks::{HtmlTable, ImageItem, Note, Tile, Tone};
use super::svg::LinePlot;
use crate::error::{Error, Result};
use crate::store::{Committed, StoreIo, commit};

/// Widths for which plots are drawn, in CSS pixels; the style sheet shows the one that fits.
const PLOT_WIDTHS: [(&str, u32); 3] = [("large", 1040), ("medium", 640), ("small", 340)];

/// Name and source of every template. All names end in `.html`: that turns escaping on.
const TEMPLATES: [(&str, &str); 8] = [
    ("page.html", include_str!("templates/page.html")),
    ("tiles.html", include_str!("templates/tiles.html")),
    ("figure.html", include_str!("templates/figure.html")),
    ("images.html", include_str!("templates/images.html")),
    ("cards.html", include_str!("templates/cards.html")),
    ("table.html", include_str!("templates/table.html")),
    ("notes.html", include_str!("templates/notes.html")),
    ("text.html", include_str!("templates/text.html")),
];

#[derive(Debug, Clone)]
enum Block {
    Tiles(Vec<Tile>),
    Plot(LinePlot),
    Histogram(Histogram),
    Images(Vec<ImageItem>),
    Cards(Vec<Card>),
    Table(HtmlTable),
    Notes(Vec<Note>),
    Text(String),
}

#[derive(Debug, Clone)]
struct Section {
    title: String,
    blocks: Vec<Block>,
}

/// A report page, built block by block. Text given to it is text: markup in it is shown, not obeyed.
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    subtitle: String,
    badge: Option<(Tone, String)>,
    sections: Vec<Section>,
    footer: Vec<(String, String)>,
}

impl Page {
    /// A page with a title.
    pub fn new(title: impl Into<String>) -> Self {
        let first = Section { title: String::new(), blocks: Vec::new() };
        Self { title: title.into(), subtitle: String::new(), badge: None, sections: vec![first], footer: Vec::new() }
    }

    /// A line below the title: the input, its length and format.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// The verdict, beside the title.
    pub fn badge(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.badge = Some((tone, text.into()));
        self
    }

    /// Begins a section; the blocks that follow belong to it.
    pub fn section(mut self, title: impl Into<String>) -> Self {
        self.sections.push(Section { title: title.into(), blocks: Vec::new() });
        self
    }

    /// Key figures.
    pub fn tiles(self, tiles: impl IntoIterator<Item = Tile>) -> Self {
        self.block(Block::Tiles(tiles.into_iter().collect()))
    }

    /// A line plot.
    pub fn plot(self, plot: LinePlot) -> Self {
        self.block(Block::Plot(plot))
    }

    /// A histogram.
    pub fn histogram(self, histogram: Histogram) -> Self {
        self.block(Block::Histogram(histogram))
    }

    /// A grid of pictures.
    pub fn images(self, images: impl IntoIterator<Item = ImageItem>) -> Self {
        self.block(Block::Images(images.into_iter().collect()))
    }

    /// Cards that lead to other files.
    pub fn cards(self, cards: impl IntoIterator<Item = Card>) -> Self {
        self.block(Block::Cards(cards.into_iter().collect()))
    }

    /// A table.
    pub fn table(self, table: HtmlTable) -> Self {
        self.block(Block::Table(table))
    }

    /// Notes and warnings.
    pub fn notes(self, notes: impl IntoIterator<Item = Note>) -> Self {
        self.block(Block::Notes(notes.into_iter().collect()))
    }

    /// A paragraph.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.block(Block::Text(text.into()))
    }

    /// A line of the footer: version, adapter, driver, settings.
    pub fn footer(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.footer.push((name.into(), value.into()));
        self
    }

    /// The page as HTML. The same page always gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Bug`] when a template is broken.
    pub fn render(&self) -> Result<String> {
        let mut templates = Environment::new();
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source).map_err(bug)?;
        }
        let mut sections = Vec::new();
        for section in self.sections.iter().filter(|s| !s.blocks.is_empty()) {
            let body = section.blocks.iter().map(|b| render_block(&templates, b)).collect::<Result<String>>()?;
            sections.push(context! { title => &section.title, body => Value::from_safe_string(body) });
        }
        let badge = self.badge.as_ref().map(|(tone, text)| context! { tone => tone.class(), text });
        let page = context! {
            style => Value::from_safe_string(include_str!("templates/style.css").into()),
            title => &self.title, subtitle => &self.subtitle, badge, sections, footer => serialized(&self.footer),
        };
        fill(&templates, "page.html", page)
    }

    /// Renders the page and commits it at `path`.
    ///
    /// # Errors
    /// [`Error::Storage`], or as [`Page::render`].
    pub fn write(&self, io: &dyn StoreIo, path: impl AsRef<Path>) -> Result<Committed> {
        let html = self.render()?;
        commit(io, path, |w| std::io::Write::write_all(w, html.as_bytes()))
    }

    fn block(mut self, block: Block) -> Self {
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(block);
        }
        self
    }
}

fn render_block(templates: &Environment<'_>, block: &Block) -> Result<String> {
    match block {
        Block::Tiles(tiles) => fill(templates, "tiles.html", context! { tiles => serialized(tiles) }),
        Block::Plot(plot) => {
            let names = plot.series.iter().map(|s| s.name.as_str()).collect::<Vec<_>>();
            figure(templates, &plot.title, &names, |width| plot.svg(width))
        }
        Block::Histogram(histogram) => figure(templates, &histogram.title, &[], |width| histogram.svg(width)),
        Block::Images(images) => fill(templates, "images.html", context! { images => serialized(images) }),
        Block::Cards(cards) => fill(templates, "cards.html", context! { cards => serialized(cards) }),
        Block::Table(table) => fill(templates, "table.html", context! { table => serialized(table) }),
        Block::Notes(notes) => fill(templates, "notes.html", context! { notes => serialized(notes) }),
        Block::Text(text) => fill(templates, "text.html", context! { text }),
    }
}

fn figure(templates: &Environment<'_>, title: &str, names: &[&str], svg: impl Fn(u32) -> String) -> Result<String> {
    // One line needs no legend: the title says what it is.
    let names = if names.len() > 1 { names } else { &[] };
    let drawn = |(class, width)| context! { class, svg => Value::from_safe_string(svg(width)) };
    let plots: Vec<Value> = PLOT_WIDTHS.into_iter().map(drawn).collect();
    fill(templates, "figure.html", context! { title, names => serialized(&names), plots })
}

fn serialized<T: Serialize>(value: &T) -> Value {
    Value::from(Serde(value))
}

fn fill(templates: &Environment<'_>, name: &str, context: Value) -> Result<String> {
    templates.get_template(name).and_then(|template| template.render(context)).map_err(bug)
}

fn bug(e: minijinja::Error) -> Error {
    Error::Bug(format!("report template: {e:#}"))
}
