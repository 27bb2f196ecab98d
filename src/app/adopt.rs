//! `tieline adopt`: takes over a Terraform state that was made without Tieline (R40).

use super::assemble::{self, Accepts, Resolved, Standing};
use super::perform::{Order, perform};
use super::session::Session;
use super::{Ended, Outcome};
use crate::context::ledger::Snapshot;
use crate::domain::deployment::Choice;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::organization::Backend;
use crate::domain::record::{RunStatus, RunType};
use crate::engine::{Adoption, Source};
use crate::request::cli;

/// The largest state that is read from a file.
const LARGEST_STATE: u64 = 1 << 30;

/// Takes a state over, and prints what came of it.
pub(super) async fn run(session: &Session, arguments: &cli::Adopt) -> Ended {
    let alias = Alias::new(arguments.alias.as_str())
        .map_err(|problem| Diagnostic::error(FailureReason::InvalidInput, problem.to_string()))?;
    let overrides = cli::Overrides::default();
    let order = Order {
        target: &arguments.target,
        run_type: RunType::Adopt,
        terraform: &arguments.terraform,
        version_tag: None,
        approved_plan: arguments.approved_plan.as_deref(),
        allow_destroy: false,
        overrides: &overrides,
    };
    let resolve = async || {
        let source = source(session, arguments)?;
        let (target, values) = (&arguments.target, &arguments.values);
        let accepts = Accepts { degraded: arguments.terraform.allow_degraded, abandoned: &[] };
        let mut resolved = assemble::from_manifest(session, target, values, accepts, Standing::Environment).await?;
        refuse(&resolved, &alias).await?;
        resolved.adoption = Some(Adoption::new(alias.clone(), source));
        Ok(resolved)
    };
    let ended = Box::pin(perform(session, order, resolve)).await;
    if let Ok(Outcome::Ran(report)) = &ended
        && report.run.status == RunStatus::Succeeded
    {
        session.say(&format!("what was taken over is `{alias}`'s now; the state that it came from was left as it is"));
        session.say("see to it that nobody applies what it was made from any more");
    }
    ended
}

fn source(session: &Session, arguments: &cli::Adopt) -> Result<Source, Problems> {
    let folder = session.folder(arguments.target.working_directory.as_deref());
    let invalid = |message: String| Problems::from(Diagnostic::error(FailureReason::InvalidInput, message));
    match (&arguments.state, &arguments.state_backend) {
        (Some(file), _) => {
            let text = session.world.files.read(&folder.join(file), LARGEST_STATE);
            text.map(Source::Text).map_err(|problem| invalid(format!("cannot read the state `{}`: {problem}", file.display())))
        }
        (None, Some(text)) => {
            let value: serde_json::Value =
                serde_yaml::from_str(text).map_err(|_| invalid("`state-backend` is not YAML".to_owned()))?;
            let backend: Backend =
                serde_json::from_value(value).map_err(|problem| invalid(format!("`state-backend` is no backend: {problem}")))?;
            Ok(Source::Backend(backend, folder))
        }
        (None, None) => Err(invalid("which state is taken over is not said".to_owned())),
    }
}

/// It must be in the manifest, not be applied, and have all that it takes.
async fn refuse(resolved: &Resolved, alias: &Alias) -> Result<(), Problems> {
    let (deployment, place) = (&resolved.deployment, &resolved.deployment.place);
    let refused = |message: String| {
        Diagnostic::error(FailureReason::InvalidInput, message)
            .at(&deployment.file, Pointer::keys(["plugins", alias.as_str()]).at_key())
    };
    let Some(plugin) = deployment.plugins.get(alias) else {
        let message = format!("`{alias}` is no applied plugin of `{place}`");
        return Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .in_file(&deployment.file)
            .help("add it to the manifest, with the inputs that what is there was made with")
            .into());
    };
    if plugin.plugin.terraform.is_none() || plugin.plugin.steps.is_some() {
        let message = format!("`{alias}` is a plugin of steps, which make everything anew: no state can be taken over for it");
        return Err(refused(message).help("deploy it, or have a plugin made that is a Terraform module alone").into());
    }
    let snapshot = Snapshot::newest(&*resolved.opened.store).await?;
    if snapshot.place(place).await?.applied.contains_key(alias) {
        return Err(refused(format!("`{place}/{alias}` is applied already"))
            .help("a state can only be taken over for what is not applied yet")
            .into());
    }
    let mut problems = Problems::default();
    for (slot, resolved_slot) in &plugin.slots {
        if let Choice::Link { alias: producer, output } = &resolved_slot.choice
            && snapshot.connection(&place.output(producer, output)).await?.is_none()
        {
            let problem = refused(format!("slot `{alias}.{slot}` takes `{producer}.{output}`, which is not applied yet"));
            problems.push(problem.help(format!("adopt `{producer}` first, or deploy it without `{alias}` in the manifest")));
        }
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}
