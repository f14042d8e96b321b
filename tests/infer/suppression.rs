//! Properties of non-maximum suppression.

use frameloom::core::{BoxF, suppress};
use proptest::prelude::*;

type Candidate = (BoxF, f32, u32);

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (0.0f32..60.0, 0.0f32..60.0, 1.0f32..40.0, 1.0f32..40.0, 0u32..50, 0u32..3);
    let made = |(x, y, width, height, score, class)| (BoxF { x, y, width, height }, score as f32 / 50.0, class);
    prop::collection::vec(one.prop_map(made), 0..60)
}

/// The definition, word by word.
fn by_definition(boxes: &[Candidate], limit: f32) -> Vec<usize> {
    let mut left: Vec<usize> = (0..boxes.len()).collect();
    let mut kept = Vec::new();
    while let Some(best) = left.iter().copied().reduce(|a, b| if boxes[b].1 > boxes[a].1 { b } else { a }) {
        kept.push(best);
        left.retain(|i| *i != best && (boxes[*i].2 != boxes[best].2 || boxes[*i].0.iou(&boxes[best].0) <= limit));
    }
    kept
}

proptest! {
    #[test]
    fn it_is_what_the_definition_says(boxes in candidates(), limit in 0.05f32..0.95) {
        prop_assert_eq!(suppress(&boxes, limit), by_definition(&boxes, limit));
    }

    #[test]
    fn no_two_kept_ones_overlap_and_every_lost_one_is_covered(boxes in candidates(), limit in 0.05f32..0.95) {
        let kept = suppress(&boxes, limit);
        let overlaps = |a: usize, b: usize| boxes[a].2 == boxes[b].2 && boxes[a].0.iou(&boxes[b].0) > limit;
        for (n, a) in kept.iter().enumerate() {
            prop_assert!(kept[..n].iter().all(|b| a != b && !overlaps(*a, *b) && boxes[*b].1 >= boxes[*a].1));
        }
        for lost in (0..boxes.len()).filter(|i| !kept.contains(i)) {
            prop_assert!(kept.iter().any(|k| overlaps(*k, lost) && boxes[*k].1 >= boxes[lost].1));
        }
    }

    /// Without equal scores the order of candidates says nothing.
    #[test]
    fn the_order_of_candidates_does_not_matter(mut boxes in candidates(), limit in 0.05f32..0.95, turn in 0usize..60) {
        for (i, b) in boxes.iter_mut().enumerate() {
            b.1 = (b.1 * 50.0 + i as f32 / 100.0) / 51.0;
        }
        let turn = turn % boxes.len().max(1);
        let mut turned = boxes.clone();
        turned.rotate_left(turn);
        let back: Vec<usize> = suppress(&turned, limit).iter().map(|i| (i + turn) % boxes.len()).collect();
        prop_assert_eq!(back, suppress(&boxes, limit));
    }
}
