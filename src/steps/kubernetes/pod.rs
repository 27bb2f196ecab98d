//! The description of a step's pod.

use serde_json::{Map, Value, json};

use crate::domain::canonical;
use crate::steps::executor::StepJob;

/// Nothing looks after a pod whose run was killed: it ends by itself after a day.
const LONGEST: u32 = 86_400;

/// Waits to be told what to run, and ends at once when it is told to.
const WAITS: &str = "trap 'exit 0' TERM INT; while :; do sleep 1; done";

/// Lists whose entries have names, and what those are called: an entry of the overlay changes the one of its name.
const NAMED: [(&str, &str); 8] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("volumes", "name"),
    ("env", "name"),
    ("imagePullSecrets", "name"),
    ("volumeMounts", "mountPath"),
    ("ports", "containerPort"),
    ("hostAliases", "ip"),
];

/// The pod of a step: the plugin's overlay over our template, and what is ours over that. There is no value of the step in it.
pub(super) fn described(name: &str, job: &StepJob<'_>) -> Result<Vec<u8>, String> {
    let image = job.runner.image.as_deref().ok_or("it names no image")?;
    let template = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {
            "activeDeadlineSeconds": LONGEST,
            "enableServiceLinks": false,
            "containers": [{"name": "main"}],
        },
    });
    let labels: Map<String, Value> =
        job.labels.iter().map(|(label, value)| (format!("tieline/{label}"), json!(label_value(value)))).collect();
    let ours = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": "main",
                "image": image,
                "command": ["sh", "-c", WAITS],
                "volumeMounts": [{"name": "tieline", "mountPath": "/tieline"}],
            }],
            "volumes": [{"name": "tieline", "emptyDir": {"medium": "Memory"}}],
        },
    });
    let overlay = match &job.runner.pod_template_overlay {
        Some(text) => serde_yaml::from_str(text).map_err(|why| format!("its `podTemplateOverlay` cannot be read: {why}"))?,
        None => Value::Null,
    };
    Ok(canonical::to_bytes(&merged(merged(template, overlay), ours)))
}

/// `over` over `base`, as Kubernetes merges: mappings by key, lists of named things by name, other lists as a whole.
fn merged(base: Value, over: Value) -> Value {
    match (base, over) {
        (base, Value::Null) => base,
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let was = base.remove(&key).unwrap_or(Value::Null);
                let merged = match (NAMED.iter().find(|(list, _)| *list == key), was, value) {
                    (Some((_, name)), Value::Array(was), Value::Array(items)) => Value::Array(by_name(was, items, name)),
                    (_, was, value) => merged(was, value),
                };
                base.insert(key, merged);
            }
            Value::Object(base)
        }
        (_, over) => over,
    }
}

fn by_name(mut base: Vec<Value>, over: Vec<Value>, name: &str) -> Vec<Value> {
    for item in over {
        match base.iter_mut().find(|one| one.get(name).is_some() && one.get(name) == item.get(name)) {
            Some(one) => *one = merged(one.take(), item),
            None => base.push(item),
        }
    }
    base
}

/// A label's value ends in a letter or digit.
fn label_value(text: &str) -> &str {
    let text = text.get(..63).unwrap_or(text);
    text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
}

/// A text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What a pod that is not ready waits for, as far as its description says it.
pub(super) fn waits_for(pod: &Value) -> Option<String> {
    let list = |way: &str| pod.pointer(way).and_then(Value::as_array).into_iter().flatten();
    let said = |state: &Value| {
        let part = |name: &str| state.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = format!("{} {}", part("reason"), part("message"));
        (!text.trim().is_empty()).then(|| text.trim().chars().take(300).collect::<String>())
    };
    let statuses = list("/status/initContainerStatuses").chain(list("/status/containerStatuses"));
    let waiting = statuses.filter_map(|status| said(status.pointer("/state/waiting").or(status.pointer("/state/terminated"))?));
    let conditions = list("/status/conditions").filter(|one| one.get("status").and_then(Value::as_str) == Some("False"));
    waiting.chain(conditions.filter_map(said)).next()
}
