//! The dialect: Jinja as Python's users write it, without anything that could reach out of the template.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{FunctionArgs, FunctionResult, Kwargs, Rest, ValueKind, ValueOrKwargs, from_args};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value, filters};
use regex::Regex;

use super::cases;
use super::datum::{Datum, Room};
use super::source::CAPTURED;
use super::table::{Data, Secret, Table, has_token, untouchable};

/// What one template may do: steps, and bytes that it works on.
const FUEL: u64 = 1_000_000;

/// How deep macros and inclusions may go.
const RECURSION: usize = 200;

/// An environment whose templates print tokens into `table`. `literals` are the texts that stand literally in the templates.
pub(super) fn environment(table: &Arc<Table>, literals: &Arc<BTreeSet<String>>) -> Environment<'static> {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    environment.set_debug(true);
    environment.remove_global("debug");
    // With escaping on, what was captured is known as text that is escaped already.
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("terraform".into()));
    let printed = Arc::clone(table);
    environment.set_formatter(move |out, _, value| {
        match value.as_str().filter(|_| value.is_safe()) {
            Some(safe) => out.write_str(safe)?,
            // Nothing is printed for what a condition without an `else` leaves out; other undefined values do not come here.
            None if value.is_undefined() => {}
            None if value.downcast_object_ref::<Secret>().is_some() => write!(out, "{value}")?,
            None => out.write_str(&printed.keep(value))?,
        }
        Ok(())
    });
    let methods = Arc::clone(table);
    environment.set_unknown_method_callback(move |state, value, method, args| {
        let what = format!("the method `{method}`");
        let value = plain(&methods, value.clone(), &what)?;
        let args = all_plain(&methods, args.to_vec(), &what)?;
        call_method(state, &value, method, &args)
    });
    for &(name, filter) in cases::FILTERS {
        guarded(&mut environment, table, name, move |text: String| filter(&text));
    }
    guard_filters(&mut environment, table);
    own_filters(&mut environment, table, literals);
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
    environment.add_function("cycler", minijinja_contrib::globals::cycler);
    environment
}

/// Methods of Python's texts that the library leaves out.
fn call_method(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let argument = || args.first().and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    match (value.as_str(), method) {
        (Some(text), "removeprefix") => Ok(Value::from(text.strip_prefix(argument().as_str()).unwrap_or(text))),
        (Some(text), "removesuffix") => Ok(Value::from(text.strip_suffix(argument().as_str()).unwrap_or(text))),
        (Some(text), "zfill") => {
            let width = args.first().and_then(Value::as_usize).unwrap_or_default().min(1024);
            Ok(Value::from(format!("{}{text}", "0".repeat(width.saturating_sub(text.chars().count())))))
        }
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// A value that can be looked at: captured texts with their values in place.
fn plain(table: &Table, value: Value, what: &str) -> Result<Value, Error> {
    if value.downcast_object_ref::<Secret>().is_some() {
        return Err(untouchable(what));
    }
    if value.downcast_object_ref::<Data>().is_some() {
        return table.plain(&value.to_string(), what).map(Value::from);
    }
    match value.as_str() {
        Some(text) if has_token(text) => table.plain(text, what).map(Value::from),
        _ => Ok(value),
    }
}

/// Adds a filter that is handed nothing sensitive, and no tokens.
fn guarded<F, Rv, Args>(environment: &mut Environment<'static>, table: &Arc<Table>, name: &'static str, filter: F)
where
    F: minijinja::functions::Function<Rv, Args>,
    Rv: FunctionResult,
    Args: for<'a> FunctionArgs<'a>,
{
    let inner = Value::from_function(filter);
    let table = Arc::clone(table);
    environment.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let what = format!("the filter `{name}`");
        let args = all_plain(&table, args.into_values(), &what)?;
        if args.first().is_some_and(Value::is_undefined) && ACCEPT_NOTHING.contains(&name) {
            return Err(Error::new(ErrorKind::UndefinedError, format!("{what} was applied to something that is not defined")));
        }
        inner.call(state, &args)
    });
}

/// Filters that take what is not defined for empty.
const ACCEPT_NOTHING: [&str; 5] = ["length", "count", "first", "last", "reverse"];

fn guard_filters(environment: &mut Environment<'static>, table: &Arc<Table>) {
    macro_rules! guard {
        ($($name:literal $filter:expr;)*) => {$(guarded(environment, table, $name, $filter);)*};
    }
    guard! {
        "lower" filters::lower;
        "upper" filters::upper;
        "title" filters::title;
        "capitalize" filters::capitalize;
        "length" filters::length;
        "count" filters::length;
        "reverse" filters::reverse;
        "split" filters::split;
        "lines" filters::lines;
        "round" filters::round;
        "abs" filters::abs;
        "int" filters::int;
        "float" filters::float;
        "bool" filters::bool;
        "first" filters::first;
        "last" filters::last;
        "list" filters::list;
        "sort" filters::sort;
        "unique" filters::unique;
        "format" filters::format;
        "truncate" truncate;
        "wordcount" |text: String| text.split_whitespace().count();
        "urlencode" |text: String| percent_encoding::utf8_percent_encode(&text, URL).to_string();
        "regex_replace" regex_replace;
    }
}

/// What Python's `quote` leaves as it is.
const URL: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

fn own_filters(environment: &mut Environment<'static>, table: &Arc<Table>, literals: &Arc<BTreeSet<String>>) {
    let known = Arc::clone(table);
    environment.add_filter("safe", move |value: Value| -> Result<Value, Error> {
        if value.is_safe() || value.downcast_object_ref::<Data>().is_some() {
            return Ok(value);
        }
        let datum = Datum::read(&value, &known, &mut Room::default())?;
        let mut text = String::new();
        for piece in datum.printed() {
            match piece {
                super::table::Piece::Text(part) => text.push_str(&part),
                super::table::Piece::Secret(_) => return Err(untouchable("`safe`")),
            }
        }
        Ok(Value::from_safe_string(text))
    });
    let known = Arc::clone(table);
    environment.add_filter(CAPTURED, move |value: Value| -> Result<Value, Error> {
        // A captured name may be compared, and is written alike everywhere: it can as well be a text like any other.
        let text = value.as_str().map(|text| known.settled(text)).transpose()?;
        let is_name = |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        Ok(text.filter(is_name).map_or(value, Value::from))
    });
    for name in ["tojson", "to_json"] {
        let known = Arc::clone(table);
        environment.add_filter(name, move |args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
            let args = args.into_values();
            let value = args.first().ok_or_else(|| Error::from(ErrorKind::MissingArgument))?;
            Ok(Value::from_object(Data(Datum::read(value, &known, &mut Room::default())?)))
        });
    }
    // These only move white space: what was captured stays what it is.
    let known = Arc::clone(table);
    let trim = Value::from_function(filters::trim);
    environment.add_filter("trim", move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let args = args.into_values();
        let safe = args.len() == 1 && args.first().is_some_and(Value::is_safe);
        let args = if safe { args } else { all_plain(&known, args, "the filter `trim`")? };
        trim.call(state, &args)
    });
    let known = Arc::clone(table);
    let indent = Value::from_function(filters::indent);
    environment.add_filter("indent", move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let args = args.into_values();
        let safe = args.first().is_some_and(Value::is_safe);
        let args = if safe { args } else { all_plain(&known, args, "the filter `indent`")? };
        let indented = indent.call(state, &args)?;
        Ok(match indented.as_str() {
            Some(text) if safe => Value::from_safe_string(text.to_owned()),
            _ => indented,
        })
    });
    let known = Arc::clone(table);
    let replace = Value::from_function(filters::replace);
    environment.add_filter("replace", move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let args = args.into_values();
        let texts: Vec<Option<&str>> = args.iter().map(Value::as_str).collect();
        if let ([_, Some("'"), Some("\"")], Some(ValueKind::Seq | ValueKind::Iterable | ValueKind::Map)) =
            (&texts[..], args.first().map(Value::kind))
        {
            return Ok(Value::from_object(Data(Datum::read(&args[0], &known, &mut Room::default())?)));
        }
        replaced(state, &replace, &all_plain(&known, printed(args, &known), "the filter `replace`")?)
    });
    let known = Arc::clone(table);
    let literals = Arc::clone(literals);
    let join = Value::from_function(filters::join);
    environment.add_filter("join", move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let mut args = args.into_values();
        let separator = args.get(1).and_then(Value::as_str).map(str::to_owned);
        match separator {
            Some(separator) if structural(&separator) && literals.contains(&separator) => {
                args[1] = Value::from_safe_string(separator);
            }
            _ => args = all_plain(&known, args, "the filter `join`")?,
        }
        join.call(state, &args)
    });
}

/// Whether a separator parts more than the words of one text.
fn structural(separator: &str) -> bool {
    !separator.chars().all(|each| each.is_ascii_alphanumeric() || "_-./:@+".contains(each))
}

fn all_plain(table: &Table, args: Vec<Value>, what: &str) -> Result<Vec<Value>, Error> {
    args.into_iter().map(|arg| plain(table, arg, what)).collect()
}

/// The first argument as the text that Python makes of it.
fn printed(mut args: Vec<Value>, table: &Table) -> Vec<Value> {
    if let Some(first) = args.first_mut().filter(|first| matches!(first.kind(), ValueKind::Seq | ValueKind::Map)) {
        let text = table.keep(first);
        *first = Value::from(text);
    }
    args
}

/// `replace`, with a count by place or by name.
fn replaced(state: &mut State<'_, '_>, replace: &Value, args: &[Value]) -> Result<Value, Error> {
    if args.len() < 4 {
        return replace.call(state, args);
    }
    let (text, from, to, count, named) = from_args::<(String, String, String, Option<i64>, Kwargs)>(args)?;
    let count = match count {
        Some(count) => Some(count),
        None => named.get::<Option<i64>>("count")?,
    };
    named.assert_all_used()?;
    let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    state.consume_fuel((text.len().saturating_add(to.len().saturating_mul(text.len().min(count))) / 64) as u64)?;
    Ok(Value::from(text.replacen(&from, &to, count)))
}

/// Cuts a text, between words unless it says otherwise.
#[allow(clippy::needless_pass_by_value, reason = "filters are handed what they work on")]
fn truncate(
    text: String,
    length: Option<usize>,
    inside_words: Option<bool>,
    end: Option<String>,
    named: Kwargs,
) -> Result<String, Error> {
    let length = length.or(named.get("length")?).unwrap_or(255);
    let inside_words = inside_words.or(named.get("killwords")?).unwrap_or(false);
    let end = end.or(named.get("end")?).unwrap_or_else(|| "...".to_owned());
    let leeway = named.get::<Option<usize>>("leeway")?.unwrap_or(5);
    named.assert_all_used()?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let mut cut: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    if !inside_words && let Some(at) = cut.rfind(' ') {
        cut.truncate(at);
    }
    Ok(cut + &end)
}

/// `re.sub`, with Python's references to groups.
#[allow(clippy::needless_pass_by_value, reason = "filters are handed what they work on")]
fn regex_replace(state: &State<'_, '_>, text: String, pattern: String, with: Option<String>) -> Result<Value, Error> {
    let regex = Regex::new(&pattern)
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, format!("`{pattern}` is not a pattern: {error}")))?;
    let with = python_groups(&with.unwrap_or_default());
    let most = text.len().saturating_mul(with.len().saturating_add(1));
    state.consume_fuel((most / 64) as u64)?;
    Ok(Value::from(regex.replace_all(&text, with.as_str()).into_owned()))
}

fn python_groups(with: &str) -> String {
    let mut changed = String::new();
    let mut characters = with.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek().copied()) {
            ('$', _) => changed.push_str("$$"),
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                characters.next();
                changed.extend(["${", digit.to_string().as_str(), "}"]);
            }
            ('\\', Some('\\')) => {
                characters.next();
                changed.push('\\');
            }
            _ => changed.push(character),
        }
    }
    changed
}
