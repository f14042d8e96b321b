//! Names of classes, as data sets define them.

use crate::error::{Error, Result};

/// The 80 classes of COCO 2017 that detectors are trained for, in the order of their category ids.
pub const COCO_80: [&str; 80] = [
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack",
    "umbrella",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
];

/// Category ids of COCO below 91 that no class has; DETR's outputs carry them.
const COCO_GAPS: [usize; 11] = [0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83];

/// The 20 classes of Pascal VOC behind the background, in the order of its segmentation masks.
pub const VOC_21: [&str; 21] = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

/// Names of the classes of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassNames(Vec<String>);

impl ClassNames {
    /// Reads what a manifest says: `coco80`, `coco91` (by category id, names of gaps empty), `voc21`, or names between commas.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `classes` for an empty name in a list, and for a single word that is no list.
    pub fn read(text: &str) -> Result<Self> {
        let owned = |names: &[&str]| Self(names.iter().map(|n| (*n).to_owned()).collect());
        match text {
            "coco80" => return Ok(owned(&COCO_80)),
            "voc21" => return Ok(owned(&VOC_21)),
            "coco91" => {
                let mut names = COCO_80.iter();
                let name = |id| if COCO_GAPS.contains(&id) { "" } else { names.next().copied().unwrap_or_default() };
                return Ok(Self((0..91).map(name).map(str::to_owned).collect()));
            }
            _ => {}
        }
        let names: Vec<String> = text.split(',').map(|n| n.trim().to_owned()).collect();
        // A misspelt name of a set is no class; a model of one class ends its name with a comma.
        let names = match names.as_slice() {
            [one, end] if end.is_empty() => vec![one.clone()],
            [one] => {
                let message = format!(
                    "`{one}` is no set of classes; use coco80, coco91, voc21, or names between commas (`{one},` for one class)"
                );
                return Err(Error::model("classes", message));
            }
            _ => names,
        };
        if names.iter().any(String::is_empty) {
            return Err(Error::model("classes", format!("an empty name in the list of classes `{text}`")));
        }
        Ok(Self(names))
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Name of a class.
    pub fn name(&self, class: u32) -> Option<&str> {
        self.0.get(class as usize).map(String::as_str)
    }

    /// The class of this name.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `classes`, naming those that there are.
    pub fn class(&self, name: &str) -> Result<u32> {
        let found = (0..).zip(&self.0).find(|(_, n)| n.as_str() == name && !name.is_empty());
        found.map(|(i, _)| i).ok_or_else(|| {
            let known: Vec<&str> = self.0.iter().map(String::as_str).filter(|n| !n.is_empty()).collect();
            Error::model("classes", format!("there is no class `{name}`; there are {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_their_classes_at_the_known_places() {
        let coco = ClassNames::read("coco80").unwrap();
        assert_eq!((coco.len(), coco.name(0), coco.name(79)), (80, Some("person"), Some("toothbrush")));
        // Category ids as the annotations of COCO have them.
        let ids = ClassNames::read("coco91").unwrap();
        for (id, name) in [(1, "person"), (13, "stop sign"), (44, "bottle"), (67, "dining table"), (90, "toothbrush")] {
            assert_eq!(ids.class(name).unwrap(), id);
        }
        assert_eq!((ids.len(), ids.name(12)), (91, Some("")));
        let voc = ClassNames::read("voc21").unwrap();
        assert_eq!(voc.class("person").unwrap(), 15);
    }

    #[test]
    fn lists_are_read_and_slips_refused() {
        assert_eq!(ClassNames::read("cat, dog").unwrap().class("dog").unwrap(), 1);
        assert_eq!(ClassNames::read("plate,").unwrap().len(), 1);
        for slip in ["coco_80", "", "cat,,dog", "cat,dog,"] {
            let error = ClassNames::read(slip).unwrap_err();
            assert!(matches!(error, crate::Error::Model { cause: "classes", .. }), "{slip}: {error}");
        }
        assert!(ClassNames::read("cat,dog").unwrap().class("horse").unwrap_err().to_string().contains("cat, dog"));
    }
}
