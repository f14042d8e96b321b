#!/usr/bin/env python3
"""Tests of `public_api.py` on pages that the installed rustdoc writes for a small crate: what is read, what breaks callers, what must not pass."""

import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import public_api

SOURCE = '''
//! # A heading
//! <dl><dt>Nothing of the API</dt></dl>
pub mod shapes {
    //! Shapes.
    mod private { #[derive(Clone, Copy, Debug, PartialEq)] pub struct Moved { pub x: f32, pub y: f32 } impl Moved { /// Same.
        pub const ZERO: Moved = Moved { x: 0.0, y: 0.0 }; } }
    pub use private::Moved;
    pub use std::io::Empty as Nothing;
    #[derive(Debug)] #[non_exhaustive] pub enum Error { Io(std::io::Error), Short { wanted: u64, given: Option<u64>, }, Empty }
    #[derive(Debug)] pub enum Side { Left, Right = 4 }
    pub struct Pair(pub u32, u32);
    #[repr(C)] pub union Word { pub whole: u32, pub bytes: [u8; 4] }
    pub struct Bytes { inner: Vec<u8> }
    impl std::ops::Deref for Bytes { type Target = [u8]; fn deref(&self) -> &[u8] { &self.inner } }
    impl Bytes {
        /// # Errors
        /// `struct Nothing`, <b>bold</b>.
        #[must_use] pub fn parse_a_very_long_name(&mut self, first: &str, second: Option<&Pair>, (third, _): (u32, u32)) -> Result<Self, Error> { todo!() }
        pub async fn later(self) {}
        /// # Safety
        /// None.
        pub unsafe fn raw(_: *const u8) -> Self { todo!() }
        pub fn lines(&self) -> impl Iterator<Item = &[u8]> + '_ { self.inner.chunks(2) }
        pub fn reader(&self) -> std::io::Empty { std::io::empty() }
        pub fn r#type(&self) {}
        #[doc(hidden)] pub fn hidden(&self) {}
        fn secret(&self) {}
    }
    pub struct NotSent { pub pointer: *const u8 }
    pub struct Unit;
    pub struct Area { pub width: u32 }
    pub struct Sent { inner: u32 }
    pub enum Kind { A }
}
pub trait Sink { fn put(&self); }
pub use shapes::{Error, Side as Edge};
pub trait Source: Send {
    type Item: Clone;
    const SIZE: usize = 4;
    fn next(&mut self) -> std::io::Result<Option<Self::Item>>;
    fn skip<F>(&mut self, n: usize, mut f: F) where F: FnMut(Self::Item), Self: Sized { for _ in 0..n { if let Ok(Some(i)) = self.next() { f(i) } } }
}
impl Source for Vec<u8> { type Item = u8; fn next(&mut self) -> std::io::Result<Option<u8>> { Ok(self.pop()) } }
impl<S: Source + ?Sized> Source for Box<S> { type Item = S::Item; fn next(&mut self) -> std::io::Result<Option<S::Item>> { (**self).next() } }
pub struct Stack<T>(Vec<T>);
impl<T> Stack<T> { pub fn new() -> Self { Stack(Vec::new()) } }
impl<T: Ord> Stack<T> { pub fn largest(&self) -> Option<&T> { self.0.iter().max() } }
impl<T: Clone + Send> Source for Stack<T> { type Item = T; fn next(&mut self) -> std::io::Result<Option<T>> { Ok(self.0.pop()) } }
impl From<Stack<u8>> for String { fn from(_: Stack<u8>) -> String { String::new() } }
pub type Outcome<T = ()> = std::result::Result<T, Error>;
pub const LIMIT: usize = 1 << 4;
pub static NAMES: &[&str] = &["a"];
pub fn sum<T, const N: usize>(values: [T; N]) -> T where T: std::iter::Sum<T> { values.into_iter().sum() }
pub const fn twice(value: u32) -> u32 { value * 2 }
#[macro_export] macro_rules! square { ($x:expr) => { $x * $x }; }
'''

WANTED = '''
use Edge = shapes::Side
use Error = shapes::Error
const LIMIT: usize = 16usize
static NAMES: &[&str]
type Outcome<T = ()> = Result<T, shapes::Error>
trait Sink
fn Sink::put(&self)
trait Source: Send // not dyn compatible
const Source::SIZE: usize = 4
type Source::Item: Clone
fn Source::next(&mut self) -> std::io::error::Result<Option<Self::Item>>
fn Source::skip<F>(&mut self, n: usize, f: F) where F: FnMut(Self::Item), Self: Sized { ... }
impl Source for Vec<u8>
impl<S: Source + ?Sized> Source for Box<S>
struct Stack<T>(..)
fn Stack::largest(&self) -> Option<&T> // impl<T: Ord> Stack<T>
fn Stack::new() -> Self
impl From<Stack<u8>> for String
impl<T: Clone + Send> Source for Stack<T> { type Item = T }
mod shapes
struct shapes::Area {}
field shapes::Area::width: u32
struct shapes::Bytes { .. }
async fn shapes::Bytes::later(self)
fn shapes::Bytes::lines(&self) -> impl Iterator<Item = &[u8]> + '_
fn shapes::Bytes::parse_a_very_long_name(&mut self, first: &str, second: Option<&shapes::Pair>, (third, _): (u32, u32)) -> Result<Self, shapes::Error>
fn shapes::Bytes::reader(&self) -> Empty
fn shapes::Bytes::type(&self)
unsafe fn shapes::Bytes::raw(_: *const u8) -> Self
impl Deref for shapes::Bytes { type Target = [u8] }
#[non_exhaustive] enum shapes::Error
variant shapes::Error::Empty
variant shapes::Error::Io(std::io::error::Error)
variant shapes::Error::Short { wanted: u64, given: Option<u64> }
impl Debug for shapes::Error
enum shapes::Kind
variant shapes::Kind::A
struct shapes::Moved {}
field shapes::Moved::x: f32
field shapes::Moved::y: f32
const shapes::Moved::ZERO: shapes::Moved
impl Clone for shapes::Moved
impl Copy for shapes::Moved
impl Debug for shapes::Moved
impl PartialEq for shapes::Moved
struct shapes::NotSent {}
field shapes::NotSent::pointer: *const u8
impl !Send for shapes::NotSent
impl !Sync for shapes::NotSent
#[non_exhaustive] struct shapes::Nothing // of another crate
struct shapes::Pair(pub u32, _)
struct shapes::Sent { .. }
enum shapes::Side
variant shapes::Side::Left = 0
variant shapes::Side::Right = 4
impl Debug for shapes::Side
struct shapes::Unit
#[repr(C)] union shapes::Word {}
field shapes::Word::bytes: [u8; 4]
field shapes::Word::whole: u32
macro square! macro_rules! square { ($x:expr) => { ... }; }
fn sum<T, const N: usize>(values: [T; N]) -> T where T: Sum<T>
const fn twice(value: u32) -> u32
'''


def document(folder, source):
    """Pages of a crate with this source; its folder."""
    file = folder / "tiny.rs"
    file.write_text(source, encoding="utf-8")
    rustdoc = os.environ.get("RUSTDOC", "rustdoc")
    done = subprocess.run([rustdoc, "--edition", "2024", "--crate-name", "tiny", "-o", folder / "doc", file], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return folder / "doc" / "tiny"


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="public_api_")
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.pages = document(cls.folder, SOURCE)
        cls.listing = cls.folder / "listing.txt"

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def run_main(self, *arguments, pages=None):
        """Exit code and what was said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = public_api.main(["--docs", str(pages or self.pages), "--listing", str(self.listing), "--least", "5", *arguments])
        return code, said.getvalue()


class Reading(Case):
    def test_every_kind_of_item_is_read(self):
        _, lines = public_api.listing(self.pages, 5)
        self.assertEqual("\n".join(lines), WANTED.strip())

    def test_pages_of_another_form_are_errors(self):
        damages = [
            ("all.html", "struct.Pair.html", "sort.Pair.html", "not known"),
            ("all.html", '<li><a href="shapes/struct.Pair.html">shapes::Pair</a></li>', "", "differ"),
            ("all.html", "data-rustdoc-version", "data-version", "no version"),
            ("index.html", 'id="main-content"', 'id="content"', "no main content"),
            ("shapes/index.html", '<dt><a class="struct" href="struct.Pair.html"', '<dt><a class="thing" href="struct.Pair.html"', "not known"),
            ("shapes/struct.Pair.html", '<nav class="sidebar">', "<nav>", "no side bar"),
            ("shapes/struct.Pair.html", '<pre class="rust item-decl">', "<pre>", "no declaration"),
            ("shapes/struct.Moved.html", '<span id="structfield.x"', '<span name="structfield.x"', "structfield.x"),
            ("shapes/struct.Bytes.html", 'id="method.raw" class="method"', 'id="method.raw" class="function"', "not known"),
            ("shapes/struct.Bytes.html", 'class="code-header">pub unsafe', 'class="header">pub unsafe', "no header"),
            ("shapes/struct.Bytes.html", '<h2 id="implementations"', '<h2 id="inherent"', "not known"),
            ("shapes/enum.Side.html", '<section id="variant.Left" class="variant">', "<section>", "variant.Left"),
            ("trait.Source.html", '<section id="tymethod.next" class="method">', "<section>", "tymethod.next"),
            ("fn.twice.html", "twice", "thrice", "no `fn twice`"),
        ]
        for number, (file, old, new, wanted) in enumerate(damages):
            with self.subTest(file=file, damage=new or "removed"):
                pages = self.folder / f"damaged_{number}" / "tiny"
                shutil.copytree(self.pages, pages)
                text = (pages / file).read_text(encoding="utf-8")
                self.assertIn(old, text)
                (pages / file).write_text(text.replace(old, new), encoding="utf-8")
                code, said = self.run_main(pages=pages)
                self.assertEqual(code, 2, said)
                self.assertIn(wanted, said)
        pages = self.folder / "missing" / "tiny"
        shutil.copytree(self.pages, pages)
        (pages / "struct.Stack.html").unlink()
        self.assertEqual(self.run_main(pages=pages)[0], 2)

    def test_too_few_items_are_an_error(self):
        code, said = self.run_main("--least", "500")
        self.assertEqual(code, 2)
        self.assertIn("at least 500 items", said)


class Comparing(Case):
    def setUp(self):
        self.assertEqual(self.run_main("--write")[0], 0)

    def changed(self, *edits):
        """Exit code and report of the check after these edits of the source."""
        source = SOURCE
        for old, new in edits:
            self.assertIn(old, source)
            source = source.replace(old, new)
        with tempfile.TemporaryDirectory() as folder:
            return self.run_main("--check", pages=document(pathlib.Path(folder), source))

    def told(self, cases):
        """The report after all these edits of the source at once: each names what must be in it."""
        code, said = self.changed(*(case[:2] for case in cases))
        self.assertEqual(code, 1, said)
        self.assertIn("scripts/public_api.py --write", said)
        for wanted in (wanted for case in cases for wanted in case[2:]):
            self.assertIn(wanted, said)
        return said

    def test_the_same_passes(self):
        code, said = self.run_main("--check")
        self.assertEqual(code, 0, said)

    def test_what_breaks_callers_is_told(self):
        said = self.told([
            ("pub fn reader(&self) -> std::io::Empty { std::io::empty() }", "", "removed\n  - fn shapes::Bytes::reader(&self) -> Empty\n"),
            ("value: u32) -> u32", "value: u32) -> u8", "changed\n  - const fn twice(value: u32) -> u32\n  + const fn twice(value: u32) -> u8\n"),
            ("{ value * 2 }", "{ value as u8 }"),
            ("Io(std::io::Error)", "Io(std::fmt::Error)", "  + variant shapes::Error::Io(std::fmt::Error)\n"),
            ("Left, Right", "Left, Top, Right", "added, and a `match` on the enum lacks it\n  + variant shapes::Side::Top"),
            ("pub y: f32 }", "pub y: f32, pub z: f32 }", "added, and callers write out all fields of the struct\n  + field shapes::Moved::z: f32\n"),
            ("y: 0.0 }", "y: 0.0, z: 0.0 }"),
            ("pub width: u32 }", "pub width: u32, height: u32 }", "changed\n  - struct shapes::Area {}\n  + struct shapes::Area { .. }\n"),
            ("fn put(&self);", "fn put(&self); fn close(&self);", "added, and those who implement the trait lack it\n  + fn Sink::close(&self)\n"),
            ("fn close(&self);", "fn close(&self); const DEPTH: u32;", "added, and those who implement the trait lack it\n  + const Sink::DEPTH: u32\n",
             "changed\n  - trait Sink\n  + trait Sink // not dyn compatible\n"),
            ("Sent { inner: u32 }", "Sent { inner: *const u8 }", "added, and takes an automatic trait away\n  + impl !Send for shapes::Sent\n"),
            ("#[derive(Clone, Copy, Debug, PartialEq)]", "#[derive(Clone, Debug, PartialEq)]", "removed\n  - impl Copy for shapes::Moved\n"),
            ("impl<T: Ord> Stack<T>", "impl<T: Ord + Copy> Stack<T>", "changed\n  - fn Stack::largest(&self) -> Option<&T> // impl<T: Ord> Stack<T>\n"),
            ("pub enum Kind", "#[non_exhaustive] pub enum Kind", "changed\n  - enum shapes::Kind\n  + #[non_exhaustive] enum shapes::Kind\n"),
        ])
        self.assertNotIn("These only add", said)

    def test_what_only_adds_is_told(self):
        said = self.told([
            ("Empty }", "Empty, Full }", "+ variant shapes::Error::Full\n"),
            ("Bytes { inner: Vec<u8> }", "Bytes { inner: Vec<u8>, pub id: u32 }", "+ field shapes::Bytes::id: u32\n"),
            ("fn put(&self);", "fn put(&self); fn close(&self) {}", "+ fn Sink::close(&self) { ... }\n"),
            ("const SIZE: usize = 4;", "const SIZE: usize = 4; const MORE: u32 = 1;", "+ const Source::MORE: u32 = 1\n"),
            # No caller has written out its fields, matches on it or implements it yet.
            ("pub struct Unit;", "pub struct Unit; pub struct Zero { pub a: u8 } pub enum New { B } pub trait Told { fn told(&self); }", "+ field shapes::Zero::a: u8\n"),
            ("NotSent { pub pointer: *const u8 }", "NotSent { pub pointer: *const u8 } unsafe impl Sync for NotSent {}", "- impl !Sync for shapes::NotSent\n"),
        ])
        self.assertNotIn("These break callers", said)

    def test_doc_comments_and_line_breaks_change_nothing(self):
        code, said = self.changed(("/// # Safety\n", "/// Words. # Safety\n"), ("fn secret", "fn very_secret"), ("first: &str, second", "first: &str,\n second"))
        self.assertEqual(code, 0, said)

    def test_a_listing_in_another_order_does_not_pass(self):
        lines = self.listing.read_text(encoding="utf-8").splitlines()
        self.listing.write_text("\n".join(lines[:-2] + [lines[-1], lines[-2]]) + "\n", encoding="utf-8")
        self.assertEqual(self.run_main("--check")[0], 1)
        self.listing.unlink()
        self.assertEqual(self.run_main("--check")[0], 1)

    def test_another_rustdoc_is_said_loudly_and_fails_nothing(self):
        text = self.listing.read_text(encoding="utf-8")
        head = next(l for l in text.splitlines() if l.startswith("# rustdoc "))
        self.listing.write_text(text.replace(head, "# rustdoc 1.0.0 (old)").replace("fn twice", "fn thrice"), encoding="utf-8")
        code, said = self.run_main("--check")
        self.assertEqual(code, 0)
        self.assertTrue(said.startswith("NOTE: the public API was NOT compared"), said)
        self.listing.write_text(text.replace(head + "\n", ""), encoding="utf-8")
        self.assertEqual(self.run_main("--check")[0], 1)


if __name__ == "__main__":
    unittest.main()
