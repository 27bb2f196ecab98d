//! Anything at all may stand where a document is expected: it is read or refused, and nothing else happens.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Files, small, with_spec};
use crate::documents::{connection_type, manifest, plugin_folder, stackspot_case};

/// Values made of the words of such documents.
fn documents() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "v1",
        "v2",
        "infra",
        "app",
        "text",
        "list",
        "object",
        "password",
        "required-connection",
        "generated-connection",
        "a_b",
        "a-b",
        "",
        "{{ connections['a'] }}",
        "==",
        "deploy",
        "secret",
        "latest",
        "s/p@1.0.0",
        "é",
        "{{ A }}",
        "array",
    ]);
    let leaf = prop_oneof![
        words.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null)
    ];
    let keys = prop::sample::select(vec![
        "name",
        "type",
        "alias",
        "outputs",
        "from",
        "to",
        "inputs",
        "items",
        "condition",
        "variable",
        "operator",
        "value",
        "connections",
        "requires",
        "generates",
        "connection-interface",
        "links",
        "url",
        "default",
        "plugins",
        "inputs-envs",
        "computed-inputs",
        "selected",
        "stk-type",
        "connectors",
        "version",
        "mode",
        "environment",
        "properties",
        "global-inputs",
        "hooks",
    ]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_document_is_read_or_refused(metadata in documents(), spec in documents()) {
        let mut spec = spec;
        if let Some(spec) = spec.as_object_mut() {
            spec.insert("type".to_owned(), json!("infra"));
        }
        for kind in ["plugin", "manifest", "connection-interface", "test"] {
            let document = json!({"schema-version": "v2", "kind": kind, "metadata": metadata, "spec": spec}).to_string();
            let _ = plugin_folder(&small(&document));
            let _ = manifest("stk.yaml", document.as_bytes());
            let _ = connection_type("type.yaml", document.as_bytes());
            let _ = stackspot_case("test-case.yaml", document.as_bytes());
        }
    }

    #[test]
    fn any_template_is_read(text in "[ -~\n{}%#'\"\\[\\]é]{0,80}", name in "[ -~{}é]{0,20}") {
        let document = with_spec("  requires: {connections: [{type: t, alias: a}]}\n  generates: {connection-interface: [t]}\n");
        let path = format!("templates-deploy/{name}");
        let text = format!("{{{{ connections{text} }}}}{text}");
        let files = Files::from([("plugin.yaml", document.as_bytes()), (path.as_str(), text.as_bytes())]);
        let _ = plugin_folder(&files);
    }
}

#[test]
fn very_many_inputs_and_look_ups_are_read_in_a_moment() {
    use std::fmt::Write as _;
    let mut spec = "  requires: {connections: [{type: t, alias: a}]}\n  inputs:\n".to_owned();
    for number in 0..2000 {
        let _ = writeln!(
            spec,
            "  - {{label: A, name: i{number}, type: select, items: [a, b], condition: {{variable: x, operator: '==', value: 1}}}}"
        );
    }
    let document = with_spec(&spec);
    let template = "{{ connections['a'].b }}{{{{{% ".repeat(20_000);
    let mut files = small(&document);
    files.insert("templates-deploy/long.tf", template.as_bytes());
    assert_eq!(plugin_folder(&files).unwrap().plugins.len(), 1);
}
