mod pack_nchw;
