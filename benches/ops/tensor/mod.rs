pub mod pack_nchw;
