//! Who we are for the GitHub server, and what git is given to reach a repository on it.

use super::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::github::{Client, Identity, Repository, Server};
use crate::request::cli::ContextArguments;
use crate::request::variables::runner;
use crate::secrets::Secret;

impl Session {
    /// The server that the workflow runs on; the public one elsewhere.
    pub(super) fn server(&self) -> Server {
        let variables = &self.world.variables;
        Server::at(variables.get(runner::API_URL), variables.get(runner::SERVER_URL))
    }

    /// Takes note of the tokens and the key, before anything can show them.
    pub(super) fn learn_access(&self, arguments: &ContextArguments) {
        for secret in [&arguments.context_token, &arguments.app_private_key, &arguments.github_token] {
            if let Some(secret) = secret {
                self.learn(&Secret::new(secret));
            }
        }
    }

    /// A client for the context in `repository`: with its own token, else as the app, else with the workflow's token.
    ///
    /// # Errors
    /// When only one of the app's id and key is given.
    pub(super) fn context_client(&self, arguments: &ContextArguments, repository: &Repository) -> Result<Client, Problems> {
        let token = |text: &Option<String>| text.as_ref().map(|text| Identity::Token(Secret::new(text)));
        let identity = token(&arguments.context_token).or(app(arguments, repository)?).or(token(&arguments.github_token));
        Ok(self.client(identity.unwrap_or(Identity::Anonymous)))
    }

    /// A client for the repository that the workflow is in.
    pub(super) fn workflow_client(&self, arguments: &ContextArguments) -> Option<Client> {
        let token = arguments.github_token.as_ref()?;
        Some(self.client(Identity::Token(Secret::new(token))))
    }

    fn client(&self, identity: Identity) -> Client {
        Client::new(&self.world, &self.server(), identity).learning(self.learner())
    }
}

/// The app that is given, for this repository alone.
fn app(arguments: &ContextArguments, repository: &Repository) -> Result<Option<Identity>, Problems> {
    match (&arguments.app_id, &arguments.app_private_key) {
        (Some(id), Some(key)) => {
            Ok(Some(Identity::App { id: id.clone(), key: Secret::new(key), repository: repository.clone() }))
        }
        (None, None) => Ok(None),
        (id, _) => {
            let (given, missing) = if id.is_some() { ("app-id", "app-private-key") } else { ("app-private-key", "app-id") };
            let message = format!("`{given}` is given, but `{missing}` is not");
            Err(Diagnostic::error(FailureReason::InvalidInput, message).help("give both, or neither").into())
        }
    }
}
