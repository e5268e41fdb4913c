//! Plain tables, as `mbs-build` prints them: columns under their headers, and nothing else.
//!
//! Cells are printed as they are. The width of a column is its longest cell, at least its header and two; numbers stand at
//! the right.

use std::fmt;

/// A table. Every row has as many cells as there are headers; `None` is an empty cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    headers: Vec<&'static str>,
    rows: Vec<Vec<Option<String>>>,
}

struct Column {
    width: usize,
    is_numeric: bool,
}

impl Table {
    /// Makes a table without rows.
    pub fn new(headers: impl Into<Vec<&'static str>>) -> Self {
        Self { headers: headers.into(), rows: Vec::new() }
    }

    /// Adds a row; cells beyond the headers are dropped, missing ones are empty.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Option<String>>) {
        let mut row: Vec<_> = cells.into_iter().collect();
        row.resize(self.headers.len(), None);
        self.rows.push(row);
    }

    fn column(&self, index: usize, header: &str) -> Column {
        let cells =
            || self.rows.iter().filter_map(|row| row[index].as_deref()).filter(|cell| !cell.is_empty());
        let longest = cells().map(width).max().unwrap_or(0);
        Column {
            width: longest.max(width(header) + 2),
            is_numeric: cells().next().is_some() && cells().all(looks_like_number),
        }
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn looks_like_number(cell: &str) -> bool {
    cell.bytes().any(|byte| byte.is_ascii_digit()) && cell.parse::<f64>().is_ok()
}

fn write_line<'a>(
    f: &mut fmt::Formatter<'_>,
    columns: &[Column],
    cells: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    let padded = columns.iter().zip(cells).map(|(column, cell)| match column.is_numeric {
        true => format!("{cell:>width$}", width = column.width),
        false => format!("{cell:<width$}", width = column.width),
    });
    let line = padded.collect::<Vec<_>>().join("  ");
    writeln!(f, "{}", line.trim_end())
}

/// Writes the headers, a line of dashes, and the rows, each line with its end.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<Column> =
            self.headers.iter().enumerate().map(|(index, header)| self.column(index, header)).collect();
        write_line(f, &columns, self.headers.iter().copied())?;
        let dashes: Vec<String> = columns.iter().map(|column| "-".repeat(column.width)).collect();
        write_line(f, &columns, dashes.iter().map(String::as_str))?;
        for row in &self.rows {
            write_line(f, &columns, row.iter().map(|cell| cell.as_deref().unwrap_or_default()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERVIEW: [&str; 6] = ["ID", "State", "Submitted", "Components", "Owner", "Module"];

    fn table(headers: &[&'static str], rows: &[&[&str]]) -> Table {
        let mut table = Table::new(headers);
        for row in rows {
            table.push(row.iter().map(|cell| Some((*cell).to_owned())));
        }
        table
    }

    #[test]
    fn builds_stand_in_columns_with_their_ids_at_the_right() {
        let rows: [&[&str]; 3] = [
            &["1204", "build", "2017-06-01T17:18:11Z", "35/134", "anna", "desktop-f26-20170601141014"],
            &["1201", "wait", "2017-06-01T14:18:04Z", "0/15", "bert", "database-f26-20170601141728"],
            &["998", "init", "2017-05-30T09:00:00Z", "0/0", "anna", "editor-master-20170530085900"],
        ];
        let expected = "
  ID  State    Submitted             Components    Owner    Module
----  -------  --------------------  ------------  -------  ----------------------------
1204  build    2017-06-01T17:18:11Z  35/134        anna     desktop-f26-20170601141014
1201  wait     2017-06-01T14:18:04Z  0/15          bert     database-f26-20170601141728
 998  init     2017-05-30T09:00:00Z  0/0           anna     editor-master-20170530085900
";
        assert_eq!(table(&OVERVIEW, &rows).to_string(), expected[1..]);
    }

    #[test]
    fn components_without_a_build_leave_the_cell_empty() {
        let task = |id| format!("https://koji.fedoraproject.org/koji/taskinfo?taskID={id}");
        let mut table = Table::new(["NVR", "State", "Koji Task"]);
        let nvr = "libexample-0.3.110-7.module_414736cc".to_owned();
        table.push([Some(nvr), Some("COMPLETE".into()), Some(task("19803741"))]);
        table.push([None, Some("BUILDING".into()), Some(task("19804081"))]);
        let expected = "
NVR                                   State     Koji Task
------------------------------------  --------  ------------------------------------------------------------
libexample-0.3.110-7.module_414736cc  COMPLETE  https://koji.fedoraproject.org/koji/taskinfo?taskID=19803741
                                      BUILDING  https://koji.fedoraproject.org/koji/taskinfo?taskID=19804081
";
        assert_eq!(table.to_string(), expected[1..]);
    }

    #[test]
    fn an_empty_table_is_its_headers_at_the_left() {
        let expected = "
ID    State    Submitted    Components    Owner    Module
----  -------  -----------  ------------  -------  --------
";
        assert_eq!(table(&OVERVIEW, &[]).to_string(), expected[1..]);
    }

    #[test]
    fn numbers_are_printed_as_they_are_and_words_that_parse_are_none() {
        let numbers = table(&["N"], &[&["1e3"], &["-2.50"]]);
        assert_eq!(numbers.to_string(), "    N\n-----\n  1e3\n-2.50\n");
        let words = table(&["N"], &[&["nan"], &["inf"]]);
        assert_eq!(words.to_string(), "N\n---\nnan\ninf\n");
    }

    #[test]
    fn rows_fit_the_headers_whatever_is_given() {
        let mut odd = Table::new(["A", "B"]);
        odd.push([Some("1".to_owned())]);
        odd.push([Some("x".to_owned()), Some("y".to_owned()), Some("z".to_owned())]);
        assert_eq!(odd.to_string(), "A    B\n---  ---\n1\nx    y\n");
    }
}
