#![allow(clippy::needless_pass_by_value, reason = "`json!(…)` reads well as an argument")]

mod hostile;
mod places;
mod plugins;
mod properties;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Rendered, Scope, render};
use crate::domain::address::Place;
use crate::domain::diagnostic::Problems;
use crate::domain::foreign::Templates;
use crate::domain::names::{Alias, InputName, SlotName};
use crate::render::tests::{alias, attribute, input, place, slot};
use crate::render::{BoundSlot, SensitiveSource};

/// A plugin with what it is applied with.
pub(super) struct Case {
    pub(super) templates: Templates,
    pub(super) inputs: BTreeMap<InputName, Value>,
    pub(super) sensitive: BTreeSet<InputName>,
    pub(super) slots: BTreeMap<SlotName, BoundSlot>,
    files: BTreeMap<String, Vec<u8>>,
    place: Place,
    alias: Alias,
}

impl Case {
    pub(super) fn new(inputs: &Value) -> Self {
        let entries = inputs.as_object().unwrap().iter();
        Self {
            templates: Templates { folder: "templates-deploy".to_owned(), ..Templates::default() },
            inputs: entries.map(|(name, value)| (input(name), value.clone())).collect(),
            sensitive: BTreeSet::new(),
            slots: BTreeMap::new(),
            files: BTreeMap::new(),
            place: place("shop", "staging", "orders"),
            alias: alias("queue"),
        }
    }

    pub(super) fn file(mut self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(format!("templates-deploy/{name}"), text.as_ref().to_vec());
        self
    }

    pub(super) fn computed(mut self, name: &str, text: &str) -> Self {
        self.templates.computed.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(super) fn secret(mut self, name: &str) -> Self {
        self.sensitive.insert(input(name));
        self
    }

    /// A connection that templates know as `known`, with a secret `password`.
    pub(super) fn connection(mut self, known: &str, attributes: &Value) -> Self {
        let name = slot(&known.replace('_', "-"));
        let attributes = attributes.as_object().unwrap().iter();
        let bound = BoundSlot {
            attributes: attributes.map(|(name, value)| (attribute(name), value.clone())).collect(),
            sensitive: BTreeMap::from([(attribute("password"), SensitiveSource::Variable("given".to_owned()))]),
            unasked: BTreeSet::default(),
        };
        self.templates.aliases.insert(known.to_owned(), name.clone());
        self.slots.insert(name, bound);
        self
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            inputs: &self.inputs,
            sensitive_inputs: &self.sensitive,
            slots: &self.slots,
            place: &self.place,
            alias: &self.alias,
        }
    }

    pub(super) fn tree(&self) -> BTreeMap<&str, &[u8]> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect()
    }

    pub(super) fn render(&self) -> Result<Rendered, Problems> {
        render(&self.templates, &self.tree(), &self.scope())
    }

    /// The text of a rendered file.
    pub(super) fn text(&self, name: &str) -> String {
        let rendered = self.render().unwrap_or_else(|problems| panic!("{}", told(&problems)));
        String::from_utf8(rendered.files[name].clone()).unwrap()
    }

    /// What is told where it cannot be rendered.
    pub(super) fn refused(&self) -> String {
        match self.render() {
            Ok(rendered) => {
                panic!("rendered: {:?}", rendered.files.values().map(|b| String::from_utf8_lossy(b)).collect::<Vec<_>>())
            }
            Err(problems) => told(&problems),
        }
    }
}

pub(super) fn told(problems: &Problems) -> String {
    use crate::domain::diagnostic::Spot;
    let place = |problem: &crate::domain::diagnostic::Diagnostic| match &problem.origin {
        Some(origin) => match origin.at {
            Spot::Line { line, .. } => format!("{}:{line}: ", origin.file),
            _ => format!("{}: ", origin.file),
        },
        None => String::new(),
    };
    problems.0.iter().map(|problem| format!("{}{}", place(problem), problem.message)).collect::<Vec<_>>().join("\n")
}

/// What `template`, as `main.tf`, becomes.
pub(super) fn rendered(template: &str, inputs: Value) -> String {
    Case::new(&inputs).file("main.tf", template).text("main.tf")
}

pub(super) fn refused(template: &str, inputs: Value) -> String {
    Case::new(&inputs).file("main.tf", template).refused()
}

#[test]
fn variables_are_at_top_level_and_below_inputs() {
    let case = Case::new(&json!({"queue_name": "a-b", "size": 3, "global_inputs": {"team": "x"}}))
        .computed("queue_name", "{{ inputs.queue_name | replace('-', '_') }}\n")
        .file(
            "main.tf",
            "a = \"{{ queue_name }} {{ inputs.queue_name }} {{ computed_inputs.queue_name }} {{ global_inputs.team }}\"\n\
             b = \"{{ stk_env }} {{ environment }} {{ workspace }} {{ inputs.stk_wks_id }} {{ component_path }}\"\n\
             c = {{ inputs.size + 1 }}\n",
        );
    insta::assert_snapshot!(case.text("main.tf"), @r#"
    a = "a_b a-b a_b x"
    b = "staging staging shop shop ."
    c = 4
    "#);
}

#[test]
fn what_is_computed_may_use_what_is_computed_later() {
    let mut case =
        Case::new(&json!({"group": "com.acme"})).computed("folder", "{{ global_computed_inputs.base | group_id_folder }}");
    case.templates.global_computed.push(("base".to_owned(), "{{ group }}.shop".to_owned()));
    let case = case.file("main.tf", "a = \"{{ folder }} {{ base }}\"\n");
    assert_eq!(case.text("main.tf"), "a = \"com/acme/shop com.acme.shop\"\n");
}

#[test]
fn inputs_whose_condition_does_not_hold_are_not_defined() {
    let mut case = Case::new(&json!({"mode": "FREE", "capacity": 5}));
    case.templates.conditions.push(crate::domain::foreign::Condition {
        input: input("capacity"),
        variable: "mode".to_owned(),
        operator: "==".to_owned(),
        value: json!("PROVISIONED"),
        default: None,
    });
    let case = case.file(
        "main.tf",
        "a = \"{% if capacity is defined %}{{ capacity }}{% else %}none{% endif %}{% if capacity %}!{% endif %}\"",
    );
    assert_eq!(case.text("main.tf"), "a = \"none\"");
}

#[test]
fn links_take_connections_with_hyphens() {
    use crate::domain::foreign::Link;
    let mut case = Case::new(&json!({"region": "eu-1"})).connection("topic-conn-2", &json!({"arn": "arn:x"}));
    case.templates.links = vec![
        Link {
            name: "Console".to_owned(),
            url: "https://c/{{ connections.topic-conn-2.arn }}?r={{ region }}".to_owned(),
            dynamic: true,
        },
        Link { name: "Docs".to_owned(), url: "https://d/{{ x }}".to_owned(), dynamic: false },
    ];
    let links = super::links(&case.templates, &case.scope()).unwrap();
    assert_eq!(
        links,
        [("Console".to_owned(), "https://c/arn:x?r=eu-1".to_owned()), ("Docs".to_owned(), "https://d/{{ x }}".to_owned())]
    );
}

#[test]
fn syntax_is_checked_without_values() {
    let mut case =
        Case::new(&json!({})).file("main.tf", "a = 1\nb = {{ x\n").file("{{ name }.tf", "a = 1").computed("broken", "{% if x %}");
    case.templates.computed.push(("fine".to_owned(), "{{ x | upper }}".to_owned()));
    let problems = super::check(&case.templates, &case.tree());
    insta::assert_snapshot!(told(&problems), @"
    templates-deploy/main.tf:2: `templates-deploy/main.tf` is no valid template: unexpected end of input, expected end of variable block
    the name of `templates-deploy/{{ name }.tf` is no valid template: unexpected `}`, expected end of variable block
    the computed input `broken` is no valid template: unexpected end of input, expected end of block
    ");
}
