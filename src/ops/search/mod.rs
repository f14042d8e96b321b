//! Searches in GPU memory.

mod store;
pub mod top_k;

pub use store::RowStore;
