//! COCO: a list of results, or a data set.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use serde::Deserialize;

use super::{Detections, Put, corrupt};
use crate::error::Result;

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Results(Vec<Annotation>),
    Set(Set),
}

#[derive(Deserialize)]
struct Set {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    #[serde(default)]
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    /// Number of the frame in its video, from 0 (CocoVID: `frame_id`).
    #[serde(alias = "frame_index")]
    frame_id: Option<u64>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    #[serde(default = "one")]
    score: f64,
    #[serde(default)]
    iscrowd: u8,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
}

fn one() -> f64 {
    1.0
}

/// In a data set, frames are images by `frame_id`, or else by rank of `id`; categories are counted in order of their ids, and crowds are
/// left out. In a list of results, `image_id` is the number of the frame, counted from 0 where there is a 0 and else from 1, and
/// `category_id` the class.
pub(super) fn read(reader: impl BufRead, path: &Path, rate: f64) -> Result<Detections> {
    let file: File = serde_json::from_reader(reader).map_err(|e| {
        corrupt(path, format!("{e}; wanted is a list of results, or an object with `images` and `annotations`"))
    })?;
    let mut out = Detections::default();
    match file {
        File::Results(list) => {
            let first = u64::from(list.iter().all(|a| a.image_id != 0));
            let narrow = |a: &Annotation| {
                let text = format!("category {} is too large a number", a.category_id);
                u32::try_from(a.category_id).map_err(|_| corrupt(path, text))
            };
            for a in &list {
                put(&mut out, a, a.image_id - first, narrow(a)?, path, rate)?;
            }
        }
        File::Set(set) => {
            let mut ids: Vec<u64> = set.images.iter().map(|i| i.id).collect();
            ids.sort_unstable();
            let mut frames: BTreeMap<u64, u64> = ids.iter().copied().zip(0..).collect();
            if frames.len() < ids.len() {
                return Err(corrupt(path, "two images have the same id"));
            }
            for image in &set.images {
                if let Some(frame) = image.frame_id {
                    frames.insert(image.id, frame);
                }
            }
            if let Some(last) = frames.values().max() {
                out.frame(*last, rate)?;
            }
            let mut categories: Vec<(u64, String)> = set.categories.into_iter().map(|c| (c.id, c.name)).collect();
            categories.sort();
            for a in set.annotations {
                let frame = frames.get(&a.image_id).copied();
                let frame = frame.ok_or_else(|| corrupt(path, format!("there is no image {}", a.image_id)))?;
                let class = categories.iter().position(|(id, _)| *id == a.category_id);
                let class = class.ok_or_else(|| corrupt(path, format!("there is no category {}", a.category_id)))?;
                if a.iscrowd != 0 {
                    out.left_out += 1;
                    continue;
                }
                put(&mut out, &a, frame, u32::try_from(class).unwrap_or(u32::MAX), path, rate)?;
            }
            out.classes = categories.into_iter().map(|(_, name)| name).collect();
        }
    }
    Ok(out)
}

fn put(out: &mut Detections, a: &Annotation, frame: u64, class: u32, path: &Path, rate: f64) -> Result<()> {
    match out.put(frame, rate, a.bbox, a.score, class)? {
        Put::Done => Ok(()),
        Put::NotFinite => Err(corrupt(path, format!("image {}: a box that is too large for numbers", a.image_id))),
    }
}
