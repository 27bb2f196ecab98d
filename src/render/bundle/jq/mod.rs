//! jq programs on public values: what a connection offers for an input, and the variables of an application.
//!
//! A program is looked at before it is run: what it can make of its input is bounded by its text, or it is refused. So it ends, on every
//! machine or on none.

mod growth;

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, unwrap_valr};
use jaq_json::{Val, read};
use serde_json::Value;

use crate::domain::bundle::program::parse;
use crate::domain::foreign::Choice;

/// How much a program may make of its input, in bytes of JSON.
const LARGEST: u64 = 16 << 20;
/// How many values it may give.
const MOST: usize = 10_000;

/// What of the standard library is there: the rest of it asks for the clock, the environment or a log, which are left out.
const DEFINED: [(&str, usize); 21] = [
    ("@text", 0),
    ("null", 0),
    ("isboolean", 0),
    ("isnumber", 0),
    ("isstring", 0),
    ("isarray", 0),
    ("isobject", 0),
    ("arrays", 0),
    ("type", 0),
    ("values", 0),
    ("add", 0),
    ("add", 1),
    ("min_by", 1),
    ("max_by", 1),
    ("min", 0),
    ("max", 0),
    ("unique_by", 1),
    ("unique", 0),
    ("keys", 0),
    ("flatten", 0),
    ("split", 1),
];

/// Everything that a program gives for a value.
///
/// # Errors
/// When it is no program, when it is not plain that it ends soon, and when it fails.
pub fn evaluate(program: &str, input: &Value) -> Result<Vec<Value>, String> {
    let term = parse(program)?;
    let written = serde_json::to_vec(input).map_err(|error| error.to_string())?;
    let growth = growth::of(&term)?;
    if growth.size(written.len() as u64) > LARGEST {
        return Err("it could make too much of its input: take what it needs of it first".to_owned());
    }
    run(program, &written)
}

fn run(program: &str, input: &[u8]) -> Result<Vec<Value>, String> {
    let arena = Arena::default();
    let standard = jaq_std::defs().filter(|one| DEFINED.contains(&(one.name, one.args.len())));
    let defs = jaq_core::defs().chain(standard).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs());
    let modules =
        Loader::new(defs).load(&arena, File { code: program, path: () }).map_err(|_| "it is no jq program".to_owned())?;
    let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let unknown = errors.first().and_then(|(_, errors)| errors.first());
        unknown.map_or_else(|| "it cannot be used".to_owned(), |(name, _)| format!("there is no `{name}`"))
    })?;
    let input = read::parse_single(input).map_err(|error| error.to_string())?;
    let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut found = Vec::new();
    for made in filter.id.run((context, input)).map(unwrap_valr) {
        if found.len() == MOST {
            return Err(format!("it gives more than {MOST} values"));
        }
        let made = made.map_err(|error| error.to_string())?;
        found.push(serde_json::from_str(&made.to_string()).map_err(|_| "it gives something that is no JSON".to_owned())?);
    }
    Ok(found)
}

/// What a connection offers for an input: the items of a list, or what a program gives one by one.
///
/// # Errors
/// When one of the choice's programs fails.
pub fn options(choice: &Choice, connection: &Value) -> Result<Vec<Value>, String> {
    let found = evaluate(&choice.options, connection)?;
    let items = match <[Value; 1]>::try_from(found) {
        Ok([Value::Array(items)]) => items,
        Ok([one]) => vec![one],
        Err(several) => several,
    };
    let Some(program) = &choice.value else { return Ok(items) };
    let mut options = Vec::new();
    for item in &items {
        options.extend(evaluate(program, item)?);
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::names::SlotName;

    #[test]
    fn programs_give_what_they_make_of_public_values() {
        let input =
            json!({"segments": [{"id": "a", "open": true}, {"id": "b", "open": false}], "port": 5671, "tags": {"y": 1, "x": 2}});
        for (program, expected) in [
            (".segments[] | select(.open) | .id", json!(["a"])),
            (".port | tostring", json!(["5671"])),
            ("\"net://\" + .segments[0].id + \":\\(.port)\"", json!(["net://a:5671"])),
            (".tags | keys", json!([["x", "y"]])),
            (".tags | to_entries | map(\"\\(.key)=\\(.value)\") | sort | join(\",\")", json!(["x=2,y=1"])),
            (".missing // \"none\"", json!(["none"])),
            ("@text \"info\"", json!(["info"])),
            ("if .port > 1024 then \"high\" else \"low\" end", json!(["high"])),
            ("[.segments[].id] | map(ascii_upcase)", json!([["A", "B"]])),
            (".port * 2", json!([11342])),
        ] {
            assert_eq!(evaluate(program, &input).map(Value::from), Ok(expected), "{program}");
        }
    }

    #[test]
    fn programs_that_need_not_end_or_look_elsewhere_are_refused() {
        let input = json!({"a": "xxxxxxxx", "n": 1_000_000_000});
        for hostile in [
            "def f: f; f",
            "[repeat(1)]",
            "[range(1e18)]",
            "until(false; .)",
            "reduce range(9) as $x (.; . + .)",
            ". as $x | $x",
            "env",
            "$ENV",
            "now",
            "input",
            "[inputs]",
            "[limit(3; repeat(1))]",
            "recurse(.)",
            ".a * .n",
            "halt",
            "include \"x\"; .",
            "import \"x\" as x; .",
        ] {
            assert!(evaluate(hostile, &input).is_err(), "{hostile}");
        }
        let doubling = vec![". + ."; 40].join(" | ");
        assert_eq!(
            evaluate(&doubling, &json!("x")).unwrap_err(),
            "it could make too much of its input: take what it needs of it first"
        );
        assert!(evaluate("[.[] | .[]] | [.[] + .[]]", &json!([[1]])).is_err());
    }

    #[test]
    fn options_are_the_items_of_a_list_or_what_is_given_one_by_one() {
        let connection = json!({"subnets": [{"id": "a"}, {"id": "b"}]});
        let choice = |options: &str, value: Option<&str>| Choice {
            path: vec!["subnet".to_owned()],
            slot: SlotName::new("network").unwrap(),
            options: options.to_owned(),
            value: value.map(str::to_owned),
        };
        let ids = Ok(vec![json!("a"), json!("b")]);
        assert_eq!(options(&choice(".subnets", Some(".id")), &connection), ids);
        assert_eq!(options(&choice(".subnets[]", Some(".id")), &connection), ids);
        assert_eq!(options(&choice("[.subnets[].id]", None), &connection), ids);
        assert!(options(&choice(".subnets[", None), &connection).is_err());
    }
}
