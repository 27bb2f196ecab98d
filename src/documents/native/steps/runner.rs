//! Where steps run.

use serde_json::Value;

use super::handed::check_variable;
use crate::documents::finding::Finding;
use crate::documents::yaml;
use crate::domain::diagnostic::{Pointer, Spot};
use crate::domain::step::Runner;

/// The container that scripts run in.
const MAIN: &str = "main";

/// Names of containers and volumes that others put into such pods.
const KEPT: [&str; 4] =
    ["signadot-execunit-input-manager", "signadot-execunit-output-manager", "signadot-execunit-io", "tieline"];

/// Fields of the container of the scripts that are not the overlay's.
const OURS: [&str; 2] = ["command", "args"];

pub(super) fn check(runner: &Runner, at: &Pointer) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        runner.env.keys().filter_map(|name| check_variable(name, false, &at.clone().key("env").key(name).at_key())).collect();
    if let Some(image) = &runner.image {
        findings.extend(check_image(image, at.clone().key("image")));
    }
    if let Some(namespace) = &runner.namespace {
        findings.extend(check_namespace(namespace, at.clone().key("namespace")));
    }
    let pod = [("namespace", runner.namespace.is_some()), ("podTemplateOverlay", runner.pod_template_overlay.is_some())];
    if let Some((field, _)) = pod.iter().find(|(_, is_there)| *is_there && runner.image.is_none()) {
        let finding = Finding::new(at.clone().key(*field).at_key(), format!("there is a `{field}`, but no image to run there"));
        findings.push(finding.help("write `image`, which pods need; without one, the steps run on the runner itself"));
    }
    if let Some(overlay) = &runner.pod_template_overlay {
        findings.extend(check_overlay(overlay, runner, &at.clone().key("podTemplateOverlay")));
    }
    findings
}

fn check_image(image: &str, at: Pointer) -> Option<Finding> {
    let is_good = image.starts_with(|c: char| c.is_ascii_alphanumeric())
        && image.len() <= 500
        && image.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@".contains(&b));
    (!is_good).then(|| {
        Finding::new(at, format!("`{image}` is not the name of an image"))
            .help("write it as `docker pull` takes it, such as `mariadb:11` or `ghcr.io/acme/tools@sha256:…`")
    })
}

fn check_namespace(namespace: &str, at: Pointer) -> Option<Finding> {
    let is_good = (1..=63).contains(&namespace.len())
        && namespace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !namespace.starts_with('-')
        && !namespace.ends_with('-');
    (!is_good).then(|| {
        Finding::new(at, format!("`{namespace}` is not the name of a namespace"))
            .help("use lower-case letters, digits and `-`; where the document says that you are to choose one, do")
    })
}

fn check_overlay(overlay: &str, runner: &Runner, at: &Pointer) -> Vec<Finding> {
    let finding = |message: String| Finding::new(at.clone(), message);
    let pod = match yaml::parse("podTemplateOverlay", overlay.as_bytes()) {
        Ok(pod) => pod,
        Err(problems) => {
            let problem = problems.0.into_iter().next();
            let line = problem.as_ref().and_then(|problem| match problem.origin.as_ref()?.at {
                Spot::Line { line, .. } => Some(format!(" (its line {line})")),
                Spot::File | Spot::Pointer(_) => None,
            });
            let why = problem.map(|problem| problem.message).unwrap_or_default();
            return vec![finding(format!("the overlay cannot be read{}: {why}", line.unwrap_or_default()))];
        }
    };
    let Some(fields) = pod.as_object() else {
        return vec![finding("the overlay is no mapping".to_owned()).help("write `metadata:` and `spec:` as in a pod")];
    };
    let mut findings = Vec::new();
    for field in fields.keys().filter(|field| !["apiVersion", "kind", "metadata", "spec"].contains(&field.as_str())) {
        findings.push(
            finding(format!("the overlay has a field `{field}`, which no pod has")).help("pods have `metadata` and `spec`"),
        );
    }
    let text = |way: &[&str]| way.iter().try_fold(&pod, |value, key| value.get(key)).and_then(Value::as_str);
    for field in ["name", "generateName"] {
        if pod.pointer(&format!("/metadata/{field}")).is_some() {
            findings.push(finding(format!("the overlay sets `metadata.{field}`: each step's pod has a name of its own")));
        }
    }
    if let Some(namespace) = text(&["metadata", "namespace"]).filter(|name| Some(*name) != runner.namespace.as_deref()) {
        findings.push(
            finding(format!("the overlay's namespace `{namespace}` is not that of the runner")).help("write it as `namespace`"),
        );
    }
    if let Some(policy) = text(&["spec", "restartPolicy"]).filter(|policy| *policy != "Never") {
        findings.push(
            finding(format!("the overlay's restart policy is `{policy}`: a step runs once"))
                .help("write `Never`, or nothing; `retries` of a step says how often it is tried again"),
        );
    }
    for list in ["containers", "initContainers"] {
        let containers = pod.pointer(&format!("/spec/{list}")).and_then(Value::as_array);
        findings.extend(containers.into_iter().flatten().flat_map(|one| check_container(one, list, runner)).map(finding));
    }
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    let names = volumes.into_iter().flatten().filter_map(|volume| volume.get("name")?.as_str());
    findings
        .extend(names.filter(|name| KEPT.contains(name)).map(|name| finding(format!("the overlay's volume `{name}` is kept"))));
    findings
}

/// What is wrong with a container of the overlay.
fn check_container(container: &Value, list: &str, runner: &Runner) -> Vec<String> {
    let Some(name) = container.get("name").and_then(Value::as_str) else {
        return vec![format!("the overlay has a container without a name under `{list}`")];
    };
    if KEPT.contains(&name) {
        return vec![format!("the overlay's container `{name}` has a name that is kept")];
    }
    let image = container.get("image").and_then(Value::as_str);
    if name != MAIN || list != "containers" {
        let none = image.is_none().then(|| {
            format!("the overlay's container `{name}` has no image; the one that the scripts run in is called `{MAIN}`, under `containers`")
        });
        return none.into_iter().collect();
    }
    let mut wrong = Vec::new();
    if let Some(image) = image.filter(|image| Some(*image) != runner.image.as_deref()) {
        wrong.push(format!("the overlay's image `{image}` for `{MAIN}` is not that of the runner"));
    }
    let set = OURS.into_iter().filter(|field| container.get(*field).is_some());
    wrong.extend(set.map(|field| format!("the overlay sets `{field}` of `{MAIN}`, which runs the scripts")));
    wrong
}
