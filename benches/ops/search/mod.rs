pub mod top_k;
