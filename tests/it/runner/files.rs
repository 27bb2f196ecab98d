//! What a step writes into the files of `GITHUB_OUTPUT`, `GITHUB_ENV`, `GITHUB_STATE`, `GITHUB_PATH` and `GITHUB_STEP_SUMMARY`.

/// A summary of more bytes is dropped whole.
pub(crate) const SUMMARY_LIMIT: usize = 1024 * 1024;

/// The pairs of a file, and what is wrong with it from there on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) problem: Option<String>,
}

/// Reads `name=value` lines and `name<<delimiter` blocks. Only LF ends a line.
pub(crate) fn pairs(text: &str) -> Pairs {
    let mut read = Pairs::default();
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).split_inclusive('\n');
    while let Some(line) = lines.next() {
        let line = without_end(line);
        if line.is_empty() {
            continue;
        }
        match pair(line, &mut lines) {
            Ok(pair) => read.pairs.push(pair),
            Err(problem) => {
                read.problem = Some(problem);
                break;
            }
        }
    }
    read
}

fn pair<'a>(line: &str, rest: &mut impl Iterator<Item = &'a str>) -> Result<(String, String), String> {
    let invalid = || format!("Invalid format '{line}'");
    let (equals, block) = (line.find('='), line.find("<<"));
    if let Some(at) = equals.filter(|at| block.is_none_or(|block| *at < block)) {
        let (name, value) = (&line[..at], &line[at + 1..]);
        return if name.is_empty() { Err(invalid()) } else { Ok((name.to_owned(), value.to_owned())) };
    }
    let (name, delimiter) = line.split_once("<<").ok_or_else(invalid)?;
    if name.is_empty() || delimiter.is_empty() {
        return Err(invalid());
    }
    let mut value = String::new();
    for line in rest {
        if without_end(line) == delimiter {
            value.pop();
            return Ok((name.to_owned(), value));
        }
        value.push_str(line);
    }
    Err(format!("Invalid value. Matching delimiter not found '{delimiter}'"))
}

fn without_end(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::{Pairs, pairs};

    fn is(name: &str, value: &str) -> Pairs {
        Pairs { pairs: vec![(name.to_owned(), value.to_owned())], problem: None }
    }

    #[test]
    fn blocks() {
        assert_eq!(pairs("B<<X\n\nl1\n\nX"), is("B", "\nl1\n"));
        assert_eq!(pairs("B<<X\nX"), is("B", ""));
        assert!(pairs("B<<X\nv").problem.is_some());
        assert_eq!(pairs("A<<=X\nv\n=X"), is("A", "v"));
        assert_eq!(pairs("A<<X\nv\n X\nX\n"), is("A", "v\n X"));
        assert!(pairs("A<<X\r\nv\r\nX\n").problem.is_some(), "a carriage return is part of the delimiter");
    }

    #[test]
    fn lines() {
        assert_eq!(pairs("A=<<X"), is("A", "<<X"));
        assert_eq!(pairs("\u{feff}A=1"), is("A", "1"));
        assert_eq!(pairs("A=1\r\n"), is("A", "1\r"));
        assert_eq!(pairs("\n\nA=\n"), is("A", ""));
        assert!(pairs("=v").problem.is_some());
        assert!(pairs("K").problem.is_some());
    }

    #[test]
    fn what_stands_before_a_malformed_line_counts() {
        let read = pairs("A=1\nbroken\nB=2\n");
        assert_eq!(read.pairs, is("A", "1").pairs);
        assert!(read.problem.is_some());
    }
}
