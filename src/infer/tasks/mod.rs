//! One adapter per task: from the tensors of a model to typed results, and what comes before.
//!
//! Adapters know tensors and geometry, no GPU and no files. Boxes and points are in pixels of the picture: pixel `i` covers `i..i+1`.
