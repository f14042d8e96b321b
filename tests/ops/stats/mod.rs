mod luma;
