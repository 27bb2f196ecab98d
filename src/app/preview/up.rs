//! `tieline preview up` and `refresh`: the preview is made, or converged on, and the manifest deployed into it.

use super::making::{Copying, Making};
use crate::app::assemble::{self, Accepts, Standing};
use crate::app::load::{self, Written};
use crate::app::perform::{Held, Order, performed_on, told};
use crate::app::session::Session;
use crate::app::{Ended, announce};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::PreviewPart;
use crate::domain::names::EnvironmentName;
use crate::domain::record::RunType;
use crate::request::cli::{PreviewRun, Target};

/// Makes the preview of a pull request, or brings it up to date on the copy that it was made with.
pub(super) async fn up(session: &Session, arguments: &PreviewRun) -> Ended {
    Box::pin(run(session, arguments, Copying::Once)).await
}

/// Brings it up to date on its base as it is today.
pub(super) async fn refresh(session: &Session, arguments: &PreviewRun) -> Ended {
    Box::pin(run(session, arguments, Copying::Anew)).await
}

async fn run(session: &Session, arguments: &PreviewRun, copying: Copying) -> Ended {
    let written = load::manifest(session, &arguments.target)?;
    let part = part(&written)?;
    let making = Making::of(session, arguments, &written, part, copying).await?;
    if !making.is_wanted().await? {
        session.say("whether the pull request is still open is not known: there is no `github-token` that sees it");
    }
    let preview = making.planned().await?;
    refuse_another(arguments.target.environment.as_deref(), &preview.environment.name)?;
    let target = Target { environment: Some(preview.environment.name.to_string()), ..arguments.target.clone() };
    let accepts = Accepts { degraded: arguments.terraform.allow_degraded, abandoned: &arguments.overrides.abandon };
    let order = Order {
        target: &target,
        run_type: RunType::Deploy,
        terraform: &arguments.terraform,
        version_tag: arguments.version_tag.as_deref(),
        approved_plan: None,
        allow_destroy: false,
        overrides: &arguments.overrides,
    };
    let standing = Standing::Preview(&preview, making.life);
    let resolve = async || assemble::from_manifest(session, &target, &arguments.values, accepts, standing).await;
    let ensure = async |held: Held| {
        let is_open = held == Held::NotYet || making.is_wanted().await?;
        making.make(&preview, held, is_open).await
    };
    let work = async { Ok(told(session, Box::pin(performed_on(session, order, resolve, ensure)).await?)) };
    let subject = announce::Subject { target: &target, wishes: &arguments.announcements, deploys: true };
    Box::pin(announce::around(session, &subject, work)).await
}

/// A preview's name follows from its pull request: where another environment is asked for, something else is meant.
fn refuse_another(asked: Option<&str>, name: &EnvironmentName) -> Result<(), Problems> {
    let Some(other) = asked.filter(|asked| *asked != name.as_str()) else { return Ok(()) };
    let message = format!("the environment `{other}` was asked for, and the preview is `{name}`");
    Err(Diagnostic::error(FailureReason::InvalidInput, message)
        .help("leave the environment out: what a preview is on top of is said by `preview.base` in the manifest")
        .into())
}

/// What the manifest says of previews.
fn part(written: &Written) -> Result<&PreviewPart, Problems> {
    written.manifest.preview.as_ref().ok_or_else(|| {
        let message = format!("`{}` has no `preview` part, so its pull requests get no previews", written.file);
        Diagnostic::error(FailureReason::InvalidDocument, message)
            .in_file(&written.file)
            .help("add one that names the environment which previews are on top of:\npreview:\n  base: staging\n  ttl: 72h")
            .into()
    })
}
