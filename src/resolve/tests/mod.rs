//! Each rule by its name, on documents as people write them.

mod connections;
mod declarations;
mod mapping;
mod order;
mod previews;
mod sharing;
mod values;
mod wiring;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{ContextView, Inputs, LoadedPlugin, Resolved, Types, resolve};
use crate::domain::address::{Address, AliasMember, Place};
use crate::domain::connection::{ConnectionRecord, ConsumerEntry};
use crate::domain::connection_type::ConnectionType;
use crate::domain::deployment::{Choice, InputValue, ResolvedInput, ResolvedSlot};
use crate::domain::diagnostic::{Diagnostic, Problems, Spot};
use crate::domain::manifest::DeployableKind;
use crate::domain::mapping::TypeMapping;
use crate::domain::names::{Alias, Digest, InputName};
use crate::domain::organization::{Backend, BackendKind, ImportedConnection, Limits};
use crate::domain::record::{AppliedRecord, ResolvedSource, StateLocation};

pub(super) fn yaml<T: DeserializeOwned>(text: &str) -> T {
    // By way of JSON, since a map with one key is what an enum's variant looks like in documents, not a YAML tag.
    let value: Value = serde_yaml::from_str(text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    serde_json::from_value(value).unwrap_or_else(|problem| panic!("{problem}\n{text}"))
}

/// A resolution to be: documents as text, and a context.
pub(super) struct Case {
    pub(super) manifest: String,
    pub(super) environment: String,
    pub(super) workspace: String,
    pub(super) plugins: BTreeMap<String, LoadedPlugin>,
    pub(super) types: Vec<ConnectionType>,
    pub(super) type_aliases: Vec<(&'static str, &'static str)>,
    pub(super) type_mappings: Vec<TypeMapping>,
    pub(super) context: ContextView,
    pub(super) run_inputs: BTreeMap<AliasMember<InputName>, Value>,
    pub(super) secrets: BTreeSet<AliasMember<InputName>>,
    pub(super) limits: Limits,
    pub(super) allow_degraded: bool,
    pub(super) abandoned: Vec<Alias>,
    /// Whether it is seen from `pr-12`, a preview on top of staging.
    pub(super) in_preview: bool,
}

/// `retail/staging/shop` with these applied plugins and whatever follows them.
pub(super) fn case(plugins: &str) -> Case {
    let mut case = Case {
        manifest: format!("apiVersion: tieline/v1\nkind: Application\nname: shop\nplugins:\n{plugins}"),
        environment: "apiVersion: tieline/v1\nkind: Environment\nname: staging\nbackend: {type: local}\n".to_owned(),
        workspace: "apiVersion: tieline/v1\nkind: Workspace\nname: retail\n".to_owned(),
        plugins: BTreeMap::new(),
        types: Vec::new(),
        type_aliases: Vec::new(),
        type_mappings: Vec::new(),
        context: ContextView::default(),
        run_inputs: BTreeMap::new(),
        secrets: BTreeSet::new(),
        limits: Limits::default(),
        allow_degraded: false,
        abandoned: Vec::new(),
        in_preview: false,
    };
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        case.add_type("postgres-conn", version, "required: [host], properties: {host: {type: string}, port: {type: integer}, password: {type: string, x-sensitive: true}}");
    }
    case.add_type("vpc-conn", "1.0.0", "required: [id], properties: {id: {type: string}, region: {type: string}}");
    case.add_plugin("postgres", "generates: {db: {type: postgres-conn@1, from: {host: endpoint, port: port, password: secret}}}");
    case.add_plugin("web", "requires: {database: {type: postgres-conn}}");
    case.add_plugin("peering", "requires: {near: {type: vpc-conn}, far: {type: vpc-conn}}");
    case.add_plugin("vpc", "generates: {vpc: {type: vpc-conn, from: {id: id}}}");
    case
}

impl Case {
    pub(super) fn add_type(&mut self, name: &str, version: &str, attributes: &str) {
        self.types.push(yaml(&format!(
            "{{apiVersion: tieline/v1, kind: ConnectionInterfaceType, name: {name}, version: {version}, attributes: {{type: object, {attributes}}}}}"
        )));
    }

    pub(super) fn add_plugin(&mut self, name: &str, contract: &str) {
        let text = format!("apiVersion: tieline/v1\nkind: Plugin\nname: {name}\nversion: 1.0.0\nterraform: {{}}\n{contract}\n");
        let written = format!("./{name}");
        let source = ResolvedSource { written: written.clone(), commit: None, digest: Digest::of(text.as_bytes()) };
        let file = format!("{name}/plugin.yaml");
        self.plugins.insert(written, LoadedPlugin { plugin: Arc::new(yaml(&text)), source, file });
    }

    /// Publishes a connection with a producer of this kind, and notes where its state is.
    pub(super) fn publish(&mut self, address: &str, kind: DeployableKind, type_and_version: (&str, &str), attributes: &Value) {
        let record = record(address, type_and_version, attributes);
        let producer = record.address.producer().unwrap();
        let location = StateLocation {
            backend: Backend { kind: BackendKind::Local, config: serde_json::Map::new() },
            key: address.to_owned(),
        };
        let alias = address.rsplit('/').next().unwrap().split('.').next().unwrap().parse().unwrap();
        self.context.states.insert((producer.clone(), alias), location);
        self.context.kinds.insert(producer, kind);
        self.context.connections.insert(record.address.clone(), record);
    }

    pub(super) fn publish_vpc(&mut self, address: &str) {
        self.publish(address, DeployableKind::SharedInfra, ("vpc-conn", "1.0.0"), &json!({"id": "vpc-1", "region": "here"}));
    }

    pub(super) fn publish_db(&mut self, address: &str) {
        self.publish(address, DeployableKind::SharedInfra, ("postgres-conn", "1.1.0"), &json!({"host": "h"}));
    }

    pub(super) fn change(&mut self, address: &str, change: impl FnOnce(&mut ConnectionRecord)) {
        change(self.context.connections.get_mut(&address.parse::<Address>().unwrap()).unwrap());
    }

    pub(super) fn import(&mut self, address: &str, rest: &str) {
        let name = address.rsplit('/').next().unwrap();
        let document: ImportedConnection =
            yaml(&format!("{{apiVersion: tieline/v1, kind: ImportedConnection, name: {name}, {rest}}}"));
        self.context.imported.insert(address.parse().unwrap(), document);
    }

    /// Records an earlier apply of `alias`, bound to the connection at `slot` when one is given.
    pub(super) fn applied(&mut self, alias: &str, bound: Option<(&str, &str)>) {
        let binding = bound.map(|(slot, address)| {
            let record = &self.context.connections[&address.parse::<Address>().unwrap()];
            (
                slot,
                json!({
                    "address": address, "uid": record.uid, "generation": record.generation, "digest": record.digest,
                    "type": record.face.type_name, "typeVersion": record.face.type_version, "attributes": {}, "sensitive": []
                }),
            )
        });
        let bindings: BTreeMap<_, _> = binding.into_iter().collect();
        let attempt = json!({"run": "01J0000000000000000000000A", "fingerprint": Digest::of(b"")});
        let applied: AppliedRecord = serde_json::from_value(json!({
            "schemaVersion": 1, "plugin": "web", "version": "1.0.0", "source": {"use": "./web", "digest": Digest::of(b"")},
            "inputs": {}, "sensitiveInputs": [], "bindings": bindings,
            "state": {"backend": {"type": "local"}, "key": "k"},
            "terraform": {"path": "terraform", "version": "1.11.4", "size": 1, "modified": 1},
            "generator": 1, "attempted": attempt, "applied": attempt, "resources": 1
        }))
        .unwrap();
        self.context.applied.insert(alias.parse().unwrap(), applied);
    }

    pub(super) fn consumer(&mut self, of: &str, consumer: &str, version: &str, attributes: &[&str]) {
        let entry: ConsumerEntry = serde_json::from_value(json!({
            "schemaVersion": 1, "consumer": consumer, "uid": "u", "generation": 1,
            "type": "postgres-conn", "typeVersion": version, "attributes": attributes
        }))
        .unwrap();
        self.context.consumers.entry(of.parse().unwrap()).or_default().push(entry);
    }

    pub(super) fn types(&self) -> Types {
        let aliases = self.type_aliases.iter().map(|(other, own)| (other.parse().unwrap(), own.parse().unwrap()));
        Types::new(self.types.clone(), aliases.collect()).with_mappings(self.type_mappings.clone())
    }

    pub(super) fn resolve(&self) -> Result<Resolved, Problems> {
        let base = place().environment;
        resolve(&Inputs {
            place: if self.in_preview { Place { environment: "pr-12".parse().unwrap(), ..place() } } else { place() },
            base: self.in_preview.then_some(&base),
            file: "tieline.yaml",
            manifest: &yaml(&self.manifest),
            workspace: &yaml(&self.workspace),
            environment: &yaml(&self.environment),
            plugins: &self.plugins,
            types: &self.types(),
            context: &self.context,
            run_inputs: &self.run_inputs,
            secrets: &self.secrets,
            limits: &self.limits,
            allow_degraded: self.allow_degraded,
            abandoned: &self.abandoned,
        })
    }

    pub(super) fn resolved(&self) -> Resolved {
        self.resolve().unwrap_or_else(|problems| panic!("{}", shown(&problems)))
    }

    pub(super) fn refused(&self) -> String {
        shown(&self.resolve().expect_err("it should be refused"))
    }

    pub(super) fn declared(&self) -> String {
        shown(&super::declaration("tieline.yaml", &yaml(&self.manifest), &self.plugins, &self.types()))
    }
}

pub(super) fn place() -> Place {
    Place { workspace: "retail".parse().unwrap(), environment: "staging".parse().unwrap(), deployable: "shop".parse().unwrap() }
}

/// A record with a sensitive `password` if it is a database.
pub(super) fn record(address: &str, (type_name, version): (&str, &str), attributes: &Value) -> ConnectionRecord {
    let sensitive = if type_name == "postgres-conn" { json!({"password": {"from": "state"}}) } else { json!({}) };
    serde_json::from_value(json!({
        "schemaVersion": 1, "address": address, "uid": format!("uid of {address}"), "type": type_name, "typeVersion": version,
        "attributes": attributes, "sensitive": sensitive, "digest": Digest::of(b""), "generation": 3, "status": "ready",
        "producer": {"kind": "SharedInfra", "plugin": "p", "version": "1.0.0", "digest": Digest::of(b""), "run": "01J0000000000000000000000A", "commit": null}
    }))
    .unwrap()
}

/// Problems as a person would read them.
pub(super) fn shown(problems: &Problems) -> String {
    problems.0.iter().flat_map(|problem| [one_shown(problem), "\n".to_owned()]).collect()
}

fn one_shown(problem: &Diagnostic) -> String {
    let severity = format!("{:?}", problem.severity).to_lowercase();
    let mut lines = vec![format!("{severity}[{}]: {}", problem.reason, problem.message)];
    if let Some(origin) = &problem.origin {
        let at = match &origin.at {
            Spot::Pointer(pointer) => pointer.to_string(),
            other => format!("{other:?}"),
        };
        lines.push(format!("  at {} {at}", origin.file));
    }
    lines.extend(problem.notes.iter().map(|note| format!("  note: {note}")));
    lines.extend(problem.help.iter().map(|help| format!("  help: {help}")));
    lines.join("\n")
}

pub(super) fn slot<'a>(resolved: &'a Resolved, alias: &str, name: &str) -> &'a ResolvedSlot {
    &resolved.deployment.plugins[alias].slots[name]
}

/// A slot's choice in a few words.
pub(super) fn chosen(resolved: &Resolved, alias: &str, name: &str) -> String {
    match &slot(resolved, alias, name).choice {
        Choice::Link { alias, output } => format!("link {alias}.{output}"),
        Choice::Connection(chosen) => format!("{} {}", chosen.via, chosen.record.address),
        Choice::Pending { address, via } => format!("{via} {address}, pending"),
        Choice::Unset => "unset".to_owned(),
    }
}

pub(super) fn input<'a>(resolved: &'a Resolved, alias: &str, name: &str) -> &'a ResolvedInput {
    &resolved.deployment.plugins[alias].inputs[name]
}

pub(super) fn plain(value: &InputValue) -> &Value {
    match value {
        InputValue::Plain(value) => value,
        InputValue::Sensitive => panic!("sensitive"),
    }
}

pub(super) fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "missing: {part}\nin:\n{text}");
    }
}
