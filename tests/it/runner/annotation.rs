//! What GitHub shows beside a line of a file, or on top of a run.

use super::commands::Command;
use super::masks::Masks;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Warning,
    Notice,
}

impl Kind {
    /// The kind of annotation that a command makes.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        Some(match command.name.as_str() {
            "error" => Self::Error,
            "warning" => Self::Warning,
            "notice" => Self::Notice,
            _ => return None,
        })
    }
}

/// An annotation as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) title: Option<String>,
    /// From the folder of the repository.
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) end_line: Option<u32>,
    /// First and last column.
    pub(crate) columns: Option<(u32, u32)>,
}

impl Annotation {
    /// So many of each kind a stage of a step are kept.
    pub(crate) const KEPT: usize = 10;
    /// A message is cut at so many characters.
    const LENGTH: usize = 4096;

    /// What the command says, masked, with places that make no sense left out.
    pub(crate) fn new(kind: Kind, command: &Command, masks: &Masks) -> Self {
        let number = |name: &str| command.property(name).and_then(|text| text.trim().parse::<u32>().ok());
        let line = number("line");
        let end_line = number("endline").or(line).filter(|end| line.is_some_and(|line| line <= *end));
        let line = line.filter(|_| end_line.is_some());
        let columns = number("col").map(|first| (first, number("endcolumn").unwrap_or(first)));
        let file = command.property("file").map(|file| file.strip_prefix("/github/workspace/").unwrap_or(file).to_owned());
        Self {
            kind,
            message: masks.apply(&command.data).chars().take(Self::LENGTH).collect(),
            title: command.property("title").map(|title| masks.apply(title)),
            file,
            line,
            end_line,
            columns: columns.filter(|(first, last)| line.is_some() && line == end_line && first <= last),
        }
    }

    /// `file:line`, where it has a place.
    pub(crate) fn place(&self) -> Option<String> {
        Some(format!("{}:{}", self.file.as_ref()?, self.line?))
    }
}

#[cfg(test)]
mod tests {
    use super::{Annotation, Command, Kind, Masks};

    fn read(line: &str) -> Annotation {
        let command = Command::parse(line, None).unwrap();
        Annotation::new(Kind::of(&command).unwrap(), &command, &Masks::new())
    }

    #[test]
    fn files_are_those_of_the_repository() {
        let annotation = read("::error file=/github/workspace/shop/tieline.yaml,line=7,col=3,title=t::m");
        assert_eq!(annotation.place().as_deref(), Some("shop/tieline.yaml:7"));
        assert_eq!((annotation.columns, annotation.title.as_deref()), (Some((3, 3)), Some("t")));
        assert_eq!(read("::error file=a.tf::m").place(), None);
    }

    #[test]
    fn places_that_make_no_sense_are_left_out() {
        assert_eq!(read("::error line=5,endLine=4::m").line, None);
        assert_eq!(read("::error line=5,endLine=6,col=1::m").columns, None);
        assert_eq!(read("::error col=1::m").columns, None);
        assert_eq!(read("::error line=5,col=9,endColumn=2::m").columns, None);
    }

    #[test]
    fn messages_are_cut() {
        assert_eq!(read(&format!("::error::{}", "ä".repeat(5000))).message.chars().count(), 4096);
    }
}
