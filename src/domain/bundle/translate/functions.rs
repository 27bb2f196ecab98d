//! Functions.

use jaq_core::load::parse::Term;
use jaq_core::path::{Opt, Part, Path};

use super::values::{Hcl, Here, Kind};
use super::{Scope, Translator};
use crate::domain::bundle::program::literal;
use crate::domain::bundle::text;

impl<'a> Translator<'a> {
    pub(super) fn call(
        &mut self,
        name: &str,
        arguments: &[Term<&str>],
        here: &Here<'a>,
        scope: &Scope<'a>,
    ) -> Result<Hcl<'a>, String> {
        match (name, arguments) {
            ("null", []) => return Ok(Hcl::new("null", Kind::Null)),
            ("true" | "false", []) => return Ok(Hcl::new(name, Kind::Bool)),
            ("map", [each]) => {
                let items = Term::Path(Box::new(Term::Id), Path(vec![(Part::Range(None, None), Opt::Essential)]));
                let body = Term::BinOp(Box::new(items), jaq_core::load::parse::BinaryOp::Pipe(None), Box::new(each.clone()));
                return self.list(&body, here, scope);
            }
            _ => {}
        }
        let Here::Value(value) = here else { return Err(format!("`{name}` takes {} as a whole", here.named())) };
        let of = |function: &str, kind| Ok(Hcl::new(format!("{function}({})", value.text()), kind));
        match (name, arguments) {
            ("not", []) => Ok(Hcl::new(format!("!{}", text::grouped(&value.truth())), Kind::Bool)),
            ("tostring", []) if value.kind == Kind::Text => Ok(value.clone()),
            ("tostring", []) if matches!(value.kind, Kind::List | Kind::Object) => of("jsonencode", Kind::Text),
            ("tostring", []) => of("tostring", Kind::Text),
            ("tonumber", []) => of("tonumber", Kind::Number),
            ("tojson" | "@json", []) => of("jsonencode", Kind::Text),
            ("fromjson", []) => of("jsondecode", Kind::Unknown),
            ("ascii_downcase", []) => of("lower", Kind::Text),
            ("ascii_upcase", []) => of("upper", Kind::Text),
            ("length", []) => of("length", Kind::Number),
            ("keys", []) => of("keys", Kind::List),
            ("trim", []) => of("trimspace", Kind::Text),
            ("reverse", []) => of("reverse", Kind::List),
            ("first", []) => Ok(Hcl::path(format!("{}[0]", value.operand()))),
            ("@text" | "@base64" | "@base64d" | "@uri", []) => formatted(name, value),
            ("has", [key]) => {
                let key = literal(key).ok_or("`has` of a key that is computed has no counterpart in Terraform")?;
                Ok(Hcl::new(format!("can({})", text::attribute(&value.text, &key)), Kind::Bool))
            }
            ("join" | "split" | "startswith" | "endswith" | "ltrimstr" | "rtrimstr", [argument]) => {
                let argument = self.value(argument, here, scope)?;
                Ok(with_text(name, value, &argument))
            }
            _ => Err(format!("`{name}` has no counterpart in Terraform")),
        }
    }
}

fn with_text<'a>(name: &str, value: &Hcl<'a>, argument: &Hcl<'a>) -> Hcl<'a> {
    let (value, argument) = (value.text(), argument.text());
    match name {
        "join" => Hcl::new(format!("join({argument}, {value})"), Kind::Text),
        // jq makes no part of an empty text, Terraform one.
        "split" => {
            Hcl::new(format!("[for part in split({argument}, {value}) : part if {} != \"\"]", text::grouped(&value)), Kind::List)
        }
        "startswith" | "endswith" => Hcl::new(format!("{name}({value}, {argument})"), Kind::Bool),
        "ltrimstr" => Hcl::new(format!("trimprefix({value}, {argument})"), Kind::Text),
        _ => Hcl::new(format!("trimsuffix({value}, {argument})"), Kind::Text),
    }
}

/// A value as a text, in one of jq's formats.
pub(super) fn formatted<'a>(format: &str, value: &Hcl<'a>) -> Result<Hcl<'a>, String> {
    let plain = match value.kind {
        Kind::List | Kind::Object => Hcl::new(format!("jsonencode({})", value.text()), Kind::Text),
        Kind::Text => value.clone(),
        _ => Hcl::new(format!("tostring({})", value.text()), Kind::Text),
    };
    Ok(match format {
        "@text" => plain,
        "@json" => Hcl::new(format!("jsonencode({})", value.text()), Kind::Text),
        "@base64" => Hcl::new(format!("base64encode({})", plain.text()), Kind::Text),
        "@base64d" => Hcl::new(format!("base64decode({})", plain.text()), Kind::Text),
        "@uri" => Hcl::new(format!("replace(urlencode({}), \"+\", \"%20\")", plain.text()), Kind::Text),
        other => return Err(format!("`{other}` has no counterpart in Terraform")),
    })
}
