//! Where scripts run.

use crate::domain::failure::FailureReason;
use crate::domain::organization::StepRunner::{Docker, Host, Kubernetes};
use crate::domain::step::Runner;
use crate::steps::{choose, without_effect};

fn runner(yaml: &str) -> Runner {
    serde_yaml::from_str(yaml).unwrap()
}

#[test]
fn the_document_decides_unless_somebody_asks() {
    let all = [Docker, Host, Kubernetes];
    for (yaml, asked, expected) in [
        ("{}", None, Host),
        ("{image: a}", None, Docker),
        ("{image: a, namespace: n}", None, Kubernetes),
        ("{image: a, podTemplateOverlay: 'spec: {}'}", None, Kubernetes),
        ("{image: a, namespace: n}", Some(Docker), Docker),
        ("{image: a}", Some(Host), Host),
    ] {
        assert_eq!(choose(asked, &runner(yaml), &all).unwrap(), expected, "{yaml}");
    }
}

#[test]
fn what_is_not_permitted_or_cannot_be_is_refused() {
    let refused = choose(None, &runner("{image: a, namespace: n}"), &[Docker]).unwrap_err();
    assert_eq!(refused.reason, FailureReason::Ceiling);
    assert_eq!(refused.message, "the step runner `kubernetes` is not permitted");
    assert_eq!(refused.help.len(), 2, "{:?}", refused.help);
    assert_eq!(choose(None, &runner("{}"), &[Docker]).unwrap_err().message, "the step runner `host` is not permitted");
    let no_image = choose(Some(Docker), &runner("{}"), &[Docker]).unwrap_err();
    assert_eq!(no_image.message, "the step runner `docker` needs an image, and the plugin names none");
}

#[test]
fn what_has_no_effect_where_the_scripts_run_is_said() {
    let runner = runner("{image: a, namespace: n, podTemplateOverlay: 'spec: {}'}");
    let said = without_effect(&runner, Docker).unwrap().message;
    assert_eq!(said, "`namespace` and `podTemplateOverlay` have no effect: the steps run with the step runner `docker`");
    assert!(without_effect(&runner, Kubernetes).is_none());
}
