//! A state as Terraform writes it out. It holds secrets in clear: nothing here can be formatted.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

/// A state, whole.
pub struct State {
    text: Vec<u8>,
    known: Known,
}

/// What is read of it.
#[derive(Deserialize)]
struct Known {
    version: u64,
    terraform_version: String,
    serial: u64,
    lineage: String,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    /// `provider["<source>"]`, with a module before it and an alias behind it where there are such.
    provider: String,
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    attributes: Value,
}

impl State {
    /// Reads a state's text.
    ///
    /// # Errors
    /// When it is none that today's Terraform writes. The text itself is never in the error.
    pub fn read(text: Vec<u8>) -> Result<Self, String> {
        let known: Known = serde_json::from_slice(&text)
            .map_err(|problem| format!("it is no Terraform state: line {}, column {}", problem.line(), problem.column()))?;
        if known.version == 4 { Ok(Self { text, known }) } else { Err(format!("its format is {}, not 4", known.version)) }
    }

    /// Its text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether one is a copy of the other, perhaps an older one: they come of one another, or one holds all that the other does.
    /// Terraform gives a copy in most remote backends a lineage of its own.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        self.known.lineage == other.known.lineage || self.is_within(other) || other.is_within(self)
    }

    /// Whether it comes of the other by what was done since.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.known.lineage == other.known.lineage && self.known.serial > other.known.serial
    }

    /// Whether the other holds all that this one manages. By the ids, which stay the same while values change; only where nothing in
    /// it has one, by all that is known.
    fn is_within(&self, other: &Self) -> bool {
        let named = self.things(id);
        if named.is_empty() {
            let all = self.things(whole);
            return !all.is_empty() && all.is_subset(&other.things(whole));
        }
        named.is_subset(&other.things(id))
    }

    /// What it manages: each by its type with what tells it from others of that type, if anything does.
    fn things(&self, known_by: impl Fn(&Value) -> Option<String>) -> BTreeSet<(&str, String)> {
        let managed = self.known.resources.iter().filter(|resource| resource.mode == "managed");
        let instances = managed.flat_map(|resource| resource.instances.iter().map(move |instance| (resource, instance)));
        instances.filter_map(|(resource, instance)| Some((resource.kind.as_str(), known_by(&instance.attributes)?))).collect()
    }

    /// Whether it holds no resource and no data source.
    pub fn is_empty(&self) -> bool {
        self.known.resources.is_empty()
    }

    /// The addresses of its managed resources, without the keys of their instances, and the modules they are in without those of
    /// the modules' instances. As Terraform wrote them: nobody has looked at them yet.
    pub fn managed(&self) -> BTreeSet<(Option<&str>, &str, &str)> {
        let managed = self.known.resources.iter().filter(|resource| resource.mode == "managed");
        managed.map(|resource| (resource.module.as_deref(), resource.kind.as_str(), resource.name.as_str())).collect()
    }

    /// The providers that its resources are made with, as full addresses. As Terraform wrote them: nobody has looked at them yet.
    pub fn providers(&self) -> BTreeSet<&str> {
        let written = self.known.resources.iter().map(|resource| resource.provider.as_str());
        written
            .map(|text| text.split_once("[\"").and_then(|(_, rest)| rest.split_once("\"]")).map_or(text, |(source, _)| source))
            .collect()
    }

    /// The same state after everything was taken out of it, the values of outputs too. It begins a lineage of its own: whoever
    /// goes on from there makes something else.
    pub fn emptied(&self, lineage: &str) -> Vec<u8> {
        let Known { terraform_version, serial, .. } = &self.known;
        let empty = json!({
            "version": 4, "terraform_version": terraform_version, "serial": serial + 1, "lineage": lineage,
            "outputs": {}, "resources": [],
        });
        empty.to_string().into_bytes()
    }
}

/// The id of a resource, if it tells it from others: some providers write the same for all.
fn id(attributes: &Value) -> Option<String> {
    match attributes.get("id")? {
        Value::Null => None,
        Value::String(id) if ["", "-", "none"].contains(&id.as_str()) => None,
        id => Some(id.to_string()),
    }
}

/// All that is known of a resource, if that is more than an id.
fn whole(attributes: &Value) -> Option<String> {
    let more = attributes.as_object()?.keys().any(|name| name != "id");
    more.then(|| attributes.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "l", "outputs": {"o": {"value": "canary"}},
        "resources": [
            {"mode": "managed", "type": "aws_vpc", "name": "main", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"].west", "instances": []},
            {"mode": "data", "type": "aws_ami", "name": "image", "provider": "p", "instances": []},
            {"module": "module.x[\"a\"]", "mode": "managed", "type": "aws_vpc", "name": "main", "provider": "p", "instances": []}
        ]}"#;

    #[test]
    fn r40_an_emptied_state_goes_on_where_the_other_ended_and_holds_nothing() {
        let state = State::read(STATE.into()).map_err(|why| panic!("{why}")).unwrap();
        assert!(!state.is_empty());
        assert_eq!(state.managed(), [(None, "aws_vpc", "main"), (Some("module.x[\"a\"]"), "aws_vpc", "main")].into());
        assert_eq!(state.providers(), ["p", "registry.terraform.io/hashicorp/aws"].into());
        let emptied = state.emptied("another");
        assert!(!String::from_utf8_lossy(&emptied).contains("canary"));
        let emptied = State::read(emptied).map_err(|why| panic!("{why}")).unwrap();
        assert!(emptied.is_empty());
        assert!(!emptied.is_copy_of(&state));
        assert_eq!(emptied.known.serial, 8);
    }

    #[test]
    fn r40_a_copy_is_known_by_what_it_holds() {
        let state = |lineage: &str, id: &str| {
            let instances = format!("[{{\"attributes\": {{\"id\": \"{id}\"}}}}]");
            let text = STATE.replacen("[]", &instances, 1).replace("\"lineage\": \"l\"", &format!("\"lineage\": \"{lineage}\""));
            State::read(text.into_bytes()).map_err(|why| panic!("{why}")).unwrap()
        };
        assert!(state("l", "vpc-1").is_copy_of(&state("other", "vpc-1")), "Terraform gave it another lineage");
        assert!(state("l", "vpc-1").is_copy_of(&state("l", "vpc-2")), "it went on from there");
        assert!(!state("l", "vpc-1").is_copy_of(&state("other", "vpc-2")));
        assert!(!state("l", "none").is_copy_of(&state("other", "none")), "an id that tells nothing");
    }

    #[test]
    fn r40_states_that_share_one_thing_are_no_copies() {
        let state = |lineage: &str, things: &[Value]| {
            let resources: Vec<Value> = things
                .iter()
                .map(|attributes| {
                    let (kind, instances) = ("random_password", [json!({"attributes": attributes})]);
                    json!({"mode": "managed", "type": kind, "name": "x", "provider": "p", "instances": instances})
                })
                .collect();
            let text = json!({
                "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": lineage, "outputs": {}, "resources": resources,
            });
            State::read(text.to_string().into_bytes()).map_err(|why| panic!("{why}")).unwrap()
        };
        let password = |result: &str| json!({"id": "none", "result": result});
        let [a, b, c] = ["a", "b", "c"].map(|id| json!({"id": id}));
        let mine = state("mine", &[a.clone(), b.clone(), password("1")]);
        assert!(!mine.is_copy_of(&state("other", &[a.clone(), c.clone()])), "each has something that the other has not");
        assert!(!mine.is_copy_of(&state("other", &[c, password("2")])), "all passwords have the same id");
        assert!(mine.is_copy_of(&state("other", &[a.clone(), password("2")])), "an older one");
        assert!(!mine.is_copy_of(&state("other", &[])));
        let passwords = state("mine", &[password("1")]);
        assert!(!passwords.is_copy_of(&state("other", &[password("2")])));
        assert!(passwords.is_copy_of(&state("other", &[password("1")])), "nothing in it has an id, but it is the same");
    }

    #[test]
    fn r40_a_state_is_newer_than_one_that_it_came_of() {
        let state = |text: &str| State::read(text.into()).map_err(|why| panic!("{why}")).unwrap();
        let (old, new) = (state(STATE), state(&STATE.replace("\"serial\": 7", "\"serial\": 8")));
        assert!(new.is_newer_than(&old) && !old.is_newer_than(&new) && !old.is_newer_than(&old));
        assert!(!new.is_newer_than(&state(&STATE.replace("\"lineage\": \"l\"", "\"lineage\": \"m\""))));
    }

    #[test]
    fn r66_what_is_no_state_is_refused_without_being_shown() {
        for text in ["canary", "{\"version\": \"canary\"}", &STATE.replace("\"version\": 4", "\"version\": 3")] {
            let Err(why) = State::read(text.into()) else { panic!("{text}") };
            assert!(!why.contains("canary"), "{why}");
        }
    }
}
