//! Contexts whose ledger is believed only with proofs (R41): with what tokens we write it, and how what is not believed is told.

use std::sync::Arc;

use async_trait::async_trait;

use super::session::Session;
use crate::context::{CommitId, ContextStore, Doubt, Proven, Signer, Trust};
use crate::documents;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::organization::{ContextDocument, Proofs};
use crate::github::IdentityTokens;
use crate::request::variables::runner as variables;
use crate::secrets::Secret;
use crate::world::Stream;
use crate::{report, runner};

/// The run's own identity.
struct Own {
    tokens: Result<IdentityTokens, Box<Diagnostic>>,
    learn: Box<dyn Fn(&Secret) + Send + Sync>,
}

impl Session {
    /// The store with proofs, where the context's document, as of `documents`, asks for them.
    pub(super) fn proven(
        &self,
        store: Arc<dyn ContextStore>,
        context: Option<&(CommitId, ContextDocument)>,
    ) -> Arc<dyn ContextStore> {
        let Some((documents, context)) = context.filter(|(_, context)| context.proofs == Proofs::Required) else { return store };
        let Some(keys) = context.proof_keys.clone() else { return store };
        let trust = Trust::new(keys, documents.clone(), documents::workspace, self.doubter());
        let own = Own { tokens: self.identity_tokens(), learn: Box::new(self.learner()) };
        Arc::new(Proven::new(store, trust, Box::new(own)))
    }

    /// Where the job's identity tokens come from.
    pub(super) fn identity_tokens(&self) -> Result<IdentityTokens, Box<Diagnostic>> {
        let asking = [variables::ID_TOKEN_REQUEST_URL, variables::ID_TOKEN_REQUEST_TOKEN];
        let [url, bearer] = asking.map(|name| self.world.variables.get(name).filter(|value| !value.is_empty()));
        if let Some(bearer) = bearer {
            self.learn(&Secret::new(bearer));
        }
        IdentityTokens::new(&self.world, url, bearer)
    }

    /// Tells of a file that is not believed: a warning in the log, and an annotation in a workflow.
    fn doubter(&self) -> Box<dyn Fn(&Doubt) + Send + Sync> {
        let (world, redactor) = (self.world.clone(), self.redactor.clone());
        let annotate = self.workflow.as_ref().map(|workflow| workflow.console.clone());
        Box::new(move |doubt| {
            let text = redactor.redact(&format!("`{}` is not believed: {}", doubt.path, doubt.why));
            world.console.write(Stream::Err, &format!("warning: {}\n", report::one_line(&text)));
            let Some(console) = &annotate else { return };
            let warning = Problems::from(Diagnostic::warning(FailureReason::NotOwner, text));
            for annotation in runner::annotations(&warning, |_| None) {
                console.command(&annotation);
            }
        })
    }
}

#[async_trait]
impl Signer for Own {
    /// It will stand in git for everybody to read. Until then it is masked, like any token.
    async fn token(&self, audience: &str) -> Result<String, Box<Diagnostic>> {
        let token = self.tokens.as_ref().map_err(Clone::clone)?.token(audience).await?;
        (self.learn)(&token);
        Ok(token.expose().to_owned())
    }
}
