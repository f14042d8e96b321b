pub mod accumulate;
