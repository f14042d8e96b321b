// Columns of 16 pixels of a picture, walked by few invocations that take every n-th one, row by row.

struct Cursor {
    column: u32,
    row: u32,
}

struct Walk {
    columns: u32,
    rows: u32,
    steps: u32,     // of each invocation; the last ones may lie behind the last row
    step: Cursor,   // from step to step
}

fn walk_of(columns: u32, rows: u32, invocations: u32) -> Walk {
    let step_rows = invocations / columns;
    let steps = (columns * rows + invocations - 1u) / invocations;
    return Walk(columns, rows, steps, Cursor(invocations - step_rows * columns, step_rows));
}

fn start(walk: Walk, item: u32) -> Cursor {
    let row = item / walk.columns;
    return Cursor(item - row * walk.columns, row);
}

fn next(walk: Walk, at: Cursor) -> Cursor {
    let column = at.column + walk.step.column;
    let wrapped = column >= walk.columns;
    return Cursor(select(column, column - walk.columns, wrapped), at.row + walk.step.row + u32(wrapped));
}
