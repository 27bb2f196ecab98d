//! What a part of a program stands for.

use hcl_edit::expr::Expression;

use super::super::payload::{self, Locals};
use super::super::text;

/// What `.` is.
#[derive(Debug, Clone)]
pub(super) enum Here<'a> {
    /// All that a program is given.
    Input,
    /// What the bundle was given.
    Params,
    /// The connections.
    Connections,
    /// What the module puts out.
    Outputs,
    /// The application's variables.
    Envs,
    /// The application's secrets.
    Secrets,
    /// A value.
    Value(Hcl<'a>),
}

impl Here<'_> {
    pub(super) fn named(&self) -> &'static str {
        match self {
            Self::Input => "all that it is given",
            Self::Params => "`.params`",
            Self::Connections => "`.connections`",
            Self::Outputs => "`.outputs`",
            Self::Envs => "`.envs`",
            Self::Secrets => "`.secrets`",
            Self::Value(_) => "a value",
        }
    }
}

/// What is known of a value's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Unknown,
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    /// The type of a value that is of one or the other; none where Terraform would change one of them.
    pub(super) fn with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Some(Self::Unknown),
            (Self::Null, one) | (one, Self::Null) => Some(one),
            (one, other) => (one == other).then_some(one),
        }
    }
}

/// An expression.
#[derive(Debug, Clone)]
pub(super) struct Hcl<'a> {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Whether a part of it may not be there, which is null.
    may_miss: bool,
    /// The members, where it is written as an object.
    pub(super) entries: Option<Vec<(String, Self)>>,
    /// The module's own expression that it is.
    pub(super) output: Option<&'a Expression>,
}

impl<'a> Hcl<'a> {
    pub(super) fn new(text: impl Into<String>, kind: Kind) -> Self {
        Self { text: text.into(), kind, may_miss: false, entries: None, output: None }
    }

    /// A way into something.
    pub(super) fn path(text: String) -> Self {
        Self { may_miss: true, ..Self::new(text, Kind::Unknown) }
    }

    pub(super) fn number(text: &str) -> Result<Self, String> {
        let plain = text.parse::<f64>().is_ok_and(f64::is_finite) && text.starts_with(|c: char| c.is_ascii_digit());
        if plain { Ok(Self::new(text, Kind::Number)) } else { Err(format!("`{text}` is no number of Terraform")) }
    }

    pub(super) fn output(expression: &'a Expression) -> Self {
        let kind = match expression {
            Expression::Null(_) => Kind::Null,
            Expression::Bool(_) => Kind::Bool,
            Expression::Number(_) => Kind::Number,
            Expression::String(_) | Expression::HeredocTemplate(_) => Kind::Text,
            Expression::Array(_) => Kind::List,
            Expression::Object(_) => Kind::Object,
            _ => Kind::Unknown,
        };
        Self { output: Some(expression), ..Self::new(text::of(expression), kind) }
    }

    pub(super) fn object(entries: Vec<(String, Self)>) -> Self {
        let members: Vec<String> =
            entries.iter().map(|(name, value)| format!("{} = {}", text::quoted(name), value.operand())).collect();
        let text = format!("{{ {} }}", members.join(", "));
        Self { entries: Some(entries), ..Self::new(text, Kind::Object) }
    }

    /// The whole expression.
    pub(super) fn text(&self) -> String {
        if self.may_miss { format!("try({}, null)", self.text) } else { self.text.clone() }
    }

    /// The expression as a part of another.
    pub(super) fn operand(&self) -> String {
        if self.may_miss || matches!(self.kind, Kind::Text | Kind::Number | Kind::List | Kind::Object) && !self.is_chain() {
            self.text()
        } else {
            text::grouped(&self.text)
        }
    }

    /// Whether operators are in it that parentheses have to keep together.
    fn is_chain(&self) -> bool {
        self.output.is_some() || !self.text.starts_with(['"', '[', '{']) && self.text.contains(' ')
    }

    pub(super) fn member(&self, name: &str, locals: &Locals<'a>) -> Self {
        if let Some(entries) = &self.entries {
            return match entries.iter().find(|(known, _)| known == name) {
                Some((_, value)) => value.clone(),
                None => Self::new("null", Kind::Null),
            };
        }
        if let Some(found) = self.output.and_then(|own| payload::member(own, name, locals, super::DEEPEST)) {
            return Self::output(found);
        }
        Self::path(text::attribute(&self.text, name))
    }

    /// A condition that holds where jq takes the value as true.
    pub(super) fn truth(&self) -> String {
        match self.kind {
            Kind::Bool => text::grouped(&self.text()),
            Kind::Null => "false".to_owned(),
            Kind::Unknown => {
                let value = self.operand();
                format!("({value} != null && {value} != false)")
            }
            _ => "true".to_owned(),
        }
    }

    /// What it is as a variable of an application.
    pub(super) fn into_text(self) -> Self {
        match self.kind {
            Kind::Text => self,
            _ => Self::new(format!("tostring({})", self.text()), Kind::Text),
        }
    }

    pub(super) fn size(&self) -> usize {
        self.text.len()
    }
}
