//! Where a plugin's scripts run.

use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::{Ceiling, InvalidDocument, InvalidInput};
use crate::domain::organization::StepRunner;
use crate::domain::step::Runner;

/// Where scripts with this runner run: where it was asked for, else in a pod where the document speaks of Kubernetes, in a container
/// where it names an image, and on this machine where it does not.
///
/// # Errors
/// When the context's ceilings do not permit it, or the document lacks what it takes.
pub fn choose(asked: Option<StepRunner>, runner: &Runner, permitted: &[StepRunner]) -> Result<StepRunner, Box<Diagnostic>> {
    let (chosen, why) = match asked {
        Some(asked) => (asked, "it was asked for"),
        None if runner.namespace.is_some() => (StepRunner::Kubernetes, "the plugin names a namespace"),
        None if runner.pod_template_overlay.is_some() => (StepRunner::Kubernetes, "the plugin has a `podTemplateOverlay`"),
        None if runner.image.is_some() => (StepRunner::Docker, "the plugin names an image"),
        None => (StepRunner::Host, "the plugin names no image"),
    };
    if !permitted.contains(&chosen) {
        let mut problem = Diagnostic::error(Ceiling, format!("the step runner `{}` is not permitted", name(chosen)))
            .note(format!("it is the one to run the plugin's steps: {why}"))
            .note(match permitted {
                [] => "the context permits none".to_owned(),
                _ => format!(
                    "permitted: {}",
                    permitted.iter().map(|one| format!("`{}`", name(*one))).collect::<Vec<_>>().join(", ")
                ),
            })
            .help(format!("ask the platform team to list `{}` under `ceilings.step-runners` in `context.yaml`", name(chosen)));
        if chosen == StepRunner::Kubernetes && runner.image.is_some() && permitted.contains(&StepRunner::Docker) {
            problem = problem.help(
                "or ask for the step runner `docker`, if the scripts need nothing of the namespace and the `podTemplateOverlay`",
            );
        }
        return Err(Box::new(problem));
    }
    if chosen != StepRunner::Host && runner.image.is_none() {
        let reason = if asked.is_some() { InvalidInput } else { InvalidDocument };
        let problem =
            Diagnostic::error(reason, format!("the step runner `{}` needs an image, and the plugin names none", name(chosen)));
        return Err(Box::new(problem.help("write `image` under `steps.runner`, or ask for the step runner `host`")));
    }
    Ok(chosen)
}

/// What the document says about where its scripts run that has no effect there.
pub fn without_effect(runner: &Runner, chosen: StepRunner) -> Option<Diagnostic> {
    let pod = chosen == StepRunner::Kubernetes;
    let fields = [
        ("image", runner.image.is_some() && chosen == StepRunner::Host),
        ("namespace", runner.namespace.is_some() && !pod),
        ("podTemplateOverlay", runner.pod_template_overlay.is_some() && !pod),
    ];
    let idle: Vec<String> = fields.iter().filter(|(_, idle)| *idle).map(|(field, _)| format!("`{field}`")).collect();
    (!idle.is_empty()).then(|| {
        let (verb, of) = (if idle.len() == 1 { "has" } else { "have" }, name(chosen));
        Diagnostic::warning(
            InvalidDocument,
            format!("{} {verb} no effect: the steps run with the step runner `{of}`", idle.join(" and ")),
        )
    })
}

/// Its name, as people write it.
fn name(runner: StepRunner) -> &'static str {
    match runner {
        StepRunner::Docker => "docker",
        StepRunner::Host => "host",
        StepRunner::Kubernetes => "kubernetes",
    }
}
