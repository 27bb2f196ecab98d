//! A state as Terraform writes it out. It holds secrets in clear: nothing here can be formatted.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

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

    /// What all states have in common that came of one another.
    pub fn lineage(&self) -> &str {
        &self.known.lineage
    }

    /// How often it was written.
    pub fn serial(&self) -> u64 {
        self.known.serial
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
        assert_eq!((emptied.lineage(), emptied.serial()), ("another", 8));
    }

    #[test]
    fn r66_what_is_no_state_is_refused_without_being_shown() {
        for text in ["canary", "{\"version\": \"canary\"}", &STATE.replace("\"version\": 4", "\"version\": 3")] {
            let Err(why) = State::read(text.into()) else { panic!("{text}") };
            assert!(!why.contains("canary"), "{why}");
        }
    }
}
