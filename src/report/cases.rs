//! The golden cases of a plugin, for people and for programs.

use serde_json::{Value, json};

use super::{counted, one_line, to_json};

/// A case, and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name, which is that of its folder.
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
}

/// How a case went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// What was made is what was expected.
    Passed,
    /// It is not, or nothing could be made.
    Failed(Vec<Difference>),
    /// It was not tried, and why.
    LeftOut(String),
}

/// What is not as it was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The first line of a file that differs; none where a file ends before the other.
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The line in `expected/`.
        expected: Option<String>,
        /// The line that was made.
        made: Option<String>,
    },
    /// A file that is expected and was not made.
    Missing(String),
    /// A file that was made and is not expected.
    TooMany(String),
    /// Nothing was made, and why.
    NotRendered(String),
}

/// The cases as text.
pub fn text(cases: &[Case]) -> String {
    let mut text = String::new();
    for Case { name, verdict } in cases {
        let word = word(verdict);
        match verdict {
            Verdict::Passed => text.push_str(&format!("{word}    {}\n", one_line(name))),
            Verdict::LeftOut(why) => text.push_str(&format!("{word}  {}: {}\n", one_line(name), one_line(why))),
            Verdict::Failed(differences) => {
                text.push_str(&format!("{word}    {}\n", one_line(name)));
                for difference in differences {
                    text.push_str(&described(difference));
                }
            }
        }
    }
    text + &summary(cases) + "\n"
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::LeftOut(_) => "left out",
    }
}

fn described(difference: &Difference) -> String {
    let shown = |line: &Option<String>| line.as_deref().map_or_else(|| "(the file ends)".to_owned(), one_line);
    match difference {
        Difference::Line { file, line, expected, made } => {
            let place = format!("{}:{line}", one_line(file));
            format!("  {place}\n    expected  {}\n    made      {}\n", shown(expected), shown(made))
        }
        Difference::Missing(file) => format!("  {}: is expected, and was not made\n", one_line(file)),
        Difference::TooMany(file) => format!("  {}: was made, and is not expected\n", one_line(file)),
        Difference::NotRendered(why) => format!("  {}\n", one_line(why)),
    }
}

fn summary(cases: &[Case]) -> String {
    let count = |wanted: fn(&Verdict) -> bool| cases.iter().filter(|case| wanted(&case.verdict)).count();
    let passed = count(|verdict| *verdict == Verdict::Passed);
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    let left_out = count(|verdict| matches!(verdict, Verdict::LeftOut(_)));
    format!("{}: {passed} passed, {failed} failed, {left_out} left out", counted(cases.len(), "case", "cases"))
}

/// The same as JSON.
pub fn json(cases: &[Case]) -> String {
    let cases: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut shown = json!({"name": case.name, "verdict": word(&case.verdict)});
            match &case.verdict {
                Verdict::Passed => {}
                Verdict::LeftOut(why) => shown["why"] = json!(why),
                Verdict::Failed(differences) => shown["differences"] = differences.iter().map(difference).collect(),
            }
            shown
        })
        .collect();
    to_json(&json!({"schemaVersion": 1, "cases": cases}))
}

fn difference(difference: &Difference) -> Value {
    match difference {
        Difference::Line { file, line, expected, made } => {
            json!({"kind": "line", "file": file, "line": line, "expected": expected, "made": made})
        }
        Difference::Missing(file) => json!({"kind": "missing", "file": file}),
        Difference::TooMany(file) => json!({"kind": "too-many", "file": file}),
        Difference::NotRendered(why) => json!({"kind": "not-rendered", "why": why}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_says_how_it_went_and_where_it_differs() {
        let failed = Verdict::Failed(vec![
            Difference::Line { file: "main.tf".to_owned(), line: 3, expected: Some("  name = \"a\"".to_owned()), made: None },
            Difference::Missing("outputs.tf".to_owned()),
            Difference::TooMany("extra.tf".to_owned()),
        ]);
        let cases = [
            Case { name: "plain".to_owned(), verdict: Verdict::Passed },
            Case { name: "large".to_owned(), verdict: failed },
            Case { name: "apply".to_owned(), verdict: Verdict::LeftOut("it is about `stk apply plugin`".to_owned()) },
        ];
        insta::assert_snapshot!(text(&cases), @r##"
        passed    plain
        failed    large
          main.tf:3
            expected    name = "a"
            made      (the file ends)
          outputs.tf: is expected, and was not made
          extra.tf: was made, and is not expected
        left out  apply: it is about `stk apply plugin`
        3 cases: 1 passed, 1 failed, 1 left out
        "##);
    }
}
