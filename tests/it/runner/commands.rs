//! Commands in the log of a step: `::name key=value::data`, and the older `##[name key=value]data`.

use std::collections::BTreeMap;

/// What the runner does something about.
const REGISTERED: &[&str] = &[
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// How a command was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `##[name]data`, anywhere in a line.
    Bracketed,
    /// `::name::data`, at the start of a line.
    Colons,
}

/// A line that the runner obeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// In lower case.
    pub(crate) name: String,
    /// By name, in lower case.
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) data: String,
    pub(crate) form: Form,
}

impl Command {
    /// The command in a line, where there is one. `resume` is the token that ends a stop, which is a command too.
    pub(crate) fn parse(line: &str, resume: Option<&str>) -> Option<Self> {
        Self::with_colons(line, resume).or_else(|| Self::with_brackets(line, resume))
    }

    fn with_colons(line: &str, resume: Option<&str>) -> Option<Self> {
        let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let unescaped = |text: &str| unescape(text, &[("%3A", ":"), ("%2C", ",")]);
        Some(Self {
            name: registered(name, resume)?,
            properties: pairs(properties.trim(), ',', unescaped),
            data: unescape(data, &[]),
            form: Form::Colons,
        })
    }

    fn with_brackets(line: &str, resume: Option<&str>) -> Option<Self> {
        let (_, rest) = line.split_once("##[")?;
        let (head, data) = rest.split_once(']')?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let unescaped = |text: &str| unescape(text, &[("%3B", ";"), ("%5D", "]")]);
        Some(Self {
            name: registered(name, resume)?,
            properties: pairs(properties.trim(), ';', unescaped),
            data: unescaped(data),
            form: Form::Bracketed,
        })
    }

    /// A property that is there and says something.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(String::as_str)
    }
}

/// Whether a command of this name exists.
pub(crate) fn is_registered(name: &str) -> bool {
    REGISTERED.contains(&name.to_lowercase().as_str())
}

fn registered(name: &str, resume: Option<&str>) -> Option<String> {
    (is_registered(name) || resume.is_some_and(|token| token.eq_ignore_ascii_case(name))).then(|| name.to_lowercase())
}

fn pairs(text: &str, separator: char, unescaped: impl Fn(&str) -> String) -> BTreeMap<String, String> {
    let pairs = text.split(separator).filter_map(|pair| pair.split_once('='));
    let said = pairs.filter(|(key, value)| !key.is_empty() && !value.is_empty());
    said.map(|(key, value)| (key.to_lowercase(), unescaped(value))).collect()
}

/// One pass per escape, the one of the percent sign last.
fn unescape(text: &str, more: &[(&str, &str)]) -> String {
    let ends = [("%0D", "\r"), ("%0A", "\n")];
    let all = ends.iter().chain(more).chain(&[("%25", "%")]);
    all.fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

#[cfg(test)]
mod tests {
    use super::{Command, Form};

    /// Name and data.
    fn parsed(line: &str) -> Option<String> {
        Command::parse(line, None).map(|command| format!("{}: {}", command.name, command.data))
    }

    #[test]
    fn colons_at_the_start_of_a_line() {
        let command = Command::parse("  ::Error file=a.tf,line=3,title=x%2Cy%3A z::100%25%0Aok", None).unwrap();
        assert_eq!((command.name.as_str(), command.data.as_str()), ("error", "100%\nok"));
        assert_eq!(command.property("title"), Some("x,y: z"));
        assert_eq!((command.property("file"), command.property("line")), (Some("a.tf"), Some("3")));
        assert_eq!(parsed("x ::error::y"), None);
        assert_eq!(parsed("::error title=a::b::c").as_deref(), Some("error: b::c"));
        assert_eq!(parsed("::error::%250A").as_deref(), Some("error: %0A"));
        assert_eq!(parsed("::no-such::x"), None);
        assert_eq!(parsed("::error"), None);
    }

    #[test]
    fn a_property_without_a_value_is_none() {
        let command = Command::parse("::error line=,title=k=v::m", None).unwrap();
        assert_eq!((command.property("title"), command.property("line")), (Some("k=v"), None));
    }

    #[test]
    fn brackets_anywhere_in_a_line() {
        let command = Command::parse("foo ##[error]bar", None).unwrap();
        assert_eq!((command.data.as_str(), command.form), ("bar", Form::Bracketed));
        let command = Command::parse("##[set-output name=a%5Db;x=1]v%3Bw", None).unwrap();
        assert_eq!((command.property("name"), command.property("x")), (Some("a]b"), Some("1")));
        assert_eq!(command.data, "v;w");
        assert_eq!(parsed("##[no-such]x"), None);
    }

    #[test]
    fn a_token_is_a_command_while_commands_are_stopped() {
        assert!(Command::parse("::tok::", None).is_none());
        assert_eq!(Command::parse("::tok::", Some("tok")).unwrap().name, "tok");
    }
}
