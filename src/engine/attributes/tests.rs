//! What is told of a plan, and what never is.

use super::*;
use crate::domain::change::Progress;
use serde_json::json;

fn filled(action: &str, change: &Value, redactor: &Redactor, room: usize) -> PlannedResource {
    let mut resources = [PlannedResource {
        address: "aws_instance.a".to_owned(),
        action: action.to_owned(),
        previous: None,
        progress: Progress::Planned,
        attributes: Vec::new(),
        more: 0,
    }];
    let plan = json!({"resource_changes": [
        {"address": "module.plugin.aws_instance.a", "deposed": "00000000", "change": {"before": {"never": 1}, "after": null}},
        {"address": "module.plugin.aws_instance.a", "change": change},
    ]});
    fill(&mut resources, &plan, Part::Changes, redactor, room);
    let [resource] = resources;
    resource
}

fn told(change: &Value) -> Vec<String> {
    let resource = filled("update", change, &Redactor::default(), 1 << 20);
    let one = |shown: &Shown| match shown {
        Shown::Absent => "-".to_owned(),
        Shown::Sensitive => "secret".to_owned(),
        Shown::Unknown => "unknown".to_owned(),
        Shown::Json(text) => text.clone(),
    };
    let line = |change: &AttributeChange| {
        let replaced = if change.forces_replacement { " replaces" } else { "" };
        format!("{}: {} > {}{replaced}", change.path, one(&change.before), one(&change.after))
    };
    resource.attributes.iter().map(line).collect()
}

#[test]
fn only_what_changes_is_told_value_by_value() {
    let change = json!({
        "before": {"same": 1, "size": "small", "tags": {"a": "1", "b c": "2"}, "ports": [1, 2], "rules": [{"port": 80}, {"port": 81}], "gone": true},
        "after": {"same": 1, "size": "large", "tags": {"a": "1", "b c": "3"}, "ports": [1, 3], "rules": [{"port": 80}, {"port": 82}], "new": {}},
        "after_unknown": {"id": true, "tags": {"z": true}}, "before_sensitive": {}, "after_sensitive": {"ports": [false, false]},
        "replace_paths": [["size"], ["rules", 1, "port"]],
    });
    assert_eq!(
        told(&change),
        [
            "gone: true > -",
            "id: - > unknown",
            "new: - > {}",
            "ports: [1,2] > [1,3]",
            "rules[1].port: 81 > 82 replaces",
            "size: \"small\" > \"large\" replaces",
            "tags[\"b c\"]: \"2\" > \"3\"",
            "tags.z: - > unknown",
        ]
    );
}

#[test]
fn r66_no_value_is_told_that_terraform_marks_on_either_side() {
    let change = json!({
        "before": {"a": "canary-1", "b": {"deep": ["canary-2", "open"]}, "c": "canary-3", "d": "canary-4", "e": "canary-5"},
        "after": {"a": "canary-6", "b": {"deep": ["canary-7", "open"]}, "c": "canary-8", "d": null, "e": "canary-5"},
        "after_unknown": {"f": true, "c": true},
        "before_sensitive": {"a": true, "b": {"deep": [true, false]}, "d": true, "e": true},
        "after_sensitive": {"b": {"deep": [true, false]}, "c": true, "f": true},
    });
    assert_eq!(
        told(&change),
        ["a: secret > secret", "b.deep[0]: secret > secret", "c: secret > secret", "d: secret > -", "f: - > secret"]
    );
}

#[test]
fn r66_what_is_marked_somewhere_is_told_nowhere() {
    let redactor = Redactor::default();
    let change = json!({
        "before": {"input": {"token": "canary-old"}, "output": {"token": "canary-old", "pin": 4711}},
        "after": {"input": {"token": "canary-new"}, "note": "x canary-new y"},
        "before_sensitive": {"input": {"token": true}}, "after_sensitive": {"input": {"token": true}},
    });
    assert!(!format!("{:?}", filled("update", &change, &redactor, 1 << 20)).contains("canary"));
}

#[test]
fn r66_a_whole_resource_may_be_secret() {
    let change =
        json!({"before": {"a": "canary"}, "after": {"a": "canary-2"}, "before_sensitive": true, "after_sensitive": false});
    assert_eq!(told(&change), ["(all of it): secret > secret"]);
}

#[test]
fn r66_a_known_secret_is_taken_out_before_a_value_is_shortened() {
    let redactor = Redactor::default();
    redactor.learn(&Secret::new("canary-0123456789"));
    let long = format!("{}canary-0123456789", "x".repeat(LONGEST - 8));
    let resource = filled("update", &json!({"before": {}, "after": {"text": long, "canary-0123456789": 1}}), &redactor, 1 << 20);
    assert!(!format!("{resource:?}").contains("canary"), "{resource:?}");
}

#[test]
fn what_has_no_room_is_counted_and_a_deletion_says_nothing() {
    let many: Value = (0..500).map(|at| (format!("key{at:03}"), json!("value"))).collect::<serde_json::Map<_, _>>().into();
    let change = json!({"before": null, "after": many});
    let resource = filled("create", &change, &Redactor::default(), 1 << 20);
    assert_eq!((resource.attributes.len(), resource.more), (MOST, 300));
    let resource = filled("create", &change, &Redactor::default(), 30);
    assert_eq!((resource.attributes.len(), resource.more), (2, 498));
    let resource = filled("delete", &json!({"before": {"a": 1}, "after": null}), &Redactor::default(), 1 << 20);
    assert_eq!((resource.attributes.len(), resource.more), (0, 0));
}
