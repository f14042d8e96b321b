mod top_k;
