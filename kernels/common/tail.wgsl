// Whether widths may end inside a column of 16, so that the last column must mask.

override TAIL: bool = true;
