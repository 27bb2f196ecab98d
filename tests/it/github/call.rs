//! A request as it was read, and the answer to it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use axum::http::{HeaderMap, Method, StatusCode};
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// A page has so many entries unless the caller says otherwise, and never more than 100.
const PER_PAGE: usize = 30;

/// How a call ended: with what was asked for, or with GitHub's refusal.
pub(super) type Outcome = Result<Answer, Answer>;

pub(super) struct Call {
    pub(super) method: Method,
    /// The API's address as the caller knows it.
    pub(super) base: String,
    /// Path and query, without the prefix of an Enterprise Server.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Call {
    /// The parts of the path, decoded. A `%2F` parts as a `/` does.
    pub(super) fn parts(&self) -> Vec<String> {
        let path = self.target.split('?').next().unwrap_or_default();
        let decoded = percent_decode_str(path).decode_utf8_lossy().into_owned();
        decoded.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn query(&self) -> BTreeMap<String, String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (decode(name), decode(value))).collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the caller shows of itself.
    pub(super) fn token(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")).then_some(token)
    }

    /// Whether the caller asks for a media type such as `raw`.
    pub(super) fn wants(&self, kind: &str) -> bool {
        let accepted = self.header("accept").unwrap_or_default();
        let types = accepted.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        types.filter_map(|kind| kind.strip_prefix("application/vnd.github.")).any(|found| {
            let found = found.strip_prefix("v3.").unwrap_or(found);
            found.strip_suffix("+json").unwrap_or(found) == kind
        })
    }

    /// The body, which must be an object.
    pub(super) fn json(&self) -> Result<Value, Answer> {
        let body: Value = serde_json::from_slice(&self.body).map_err(|_| Answer::refused(400, "Problems parsing JSON"))?;
        if body.is_object() { Ok(body) } else { Err(Answer::refused(400, "Body should be a JSON object")) }
    }

    /// One page of a list, with the links to the others.
    pub(super) fn page(&self, list: &[Value]) -> Answer {
        let query = self.query();
        let number = |name: &str, default: usize| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let (per_page, page) = (number("per_page", PER_PAGE).clamp(1, 100), number("page", 1).max(1));
        let pages = list.len().div_ceil(per_page).max(1);
        let entries: Vec<&Value> = list.iter().skip((page - 1) * per_page).take(per_page).collect();
        let answer = Answer::json(200, &json!(entries));
        let path = self.target.split('?').next().unwrap_or_default();
        let others = query.iter().filter(|(name, _)| *name != "page" && *name != "per_page");
        let kept = others.fold(String::new(), |kept, (name, value)| format!("{kept}&{name}={value}"));
        let link =
            |page: usize, name: &str| format!("<{}{path}?per_page={per_page}&page={page}{kept}>; rel=\"{name}\"", self.base);
        let mut links = Vec::new();
        if page > 1 {
            links.extend([link(page - 1, "prev"), link(1, "first")]);
        }
        if page < pages {
            links.extend([link(page + 1, "next"), link(pages, "last")]);
        }
        if links.is_empty() { answer } else { answer.with("link", &links.join(", ")) }
    }
}

/// A text field of a body that must be there.
pub(super) fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, Answer> {
    match &body[field] {
        Value::String(text) => Ok(text),
        Value::Null => Err(Answer::refused(422, &format!("Invalid request.\n\n\"{field}\" wasn't supplied."))),
        other => Err(Answer::refused(422, &format!("Invalid request.\n\nFor 'properties/{field}', {other} is not a string."))),
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string().into_bytes())
    }

    pub(super) fn new(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap(), headers: vec![("content-type", kind.to_owned())], body }
    }

    /// Done, and nothing to say.
    pub(super) fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Vec::new() }
    }

    /// No, with GitHub's words.
    pub(super) fn refused(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        Self::json(status, &body)
    }

    /// No, because of a field of what was sent.
    pub(super) fn invalid(resource: &str, field: &str, message: &str) -> Self {
        let body = json!({
            "message": "Validation Failed",
            "errors": [{"resource": resource, "code": "custom", "field": field, "message": message}],
            "documentation_url": "https://docs.github.com/rest",
            "status": "422",
        });
        Self::json(422, &body)
    }

    pub(super) fn not_found() -> Self {
        Self::refused(404, "Not Found")
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

pub(super) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// A moment as GitHub writes it.
pub(super) fn stamp(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
