//! Who we are for the GitHub server.

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
        for secret in [&arguments.context_token, &arguments.app_private_key, &arguments.github_token].into_iter().flatten() {
            self.learn(&Secret::new(secret));
        }
    }

    /// The repository that a URL means on the server that the workflow runs on, where there is something to sign in with. Its own
    /// interface is used then: what git is given can be read by every process of the same user.
    pub(super) fn hosted(&self, arguments: &ContextArguments, url: &str) -> Option<Repository> {
        let ways = [&arguments.context_token, &arguments.app_id, &arguments.github_token];
        ways.into_iter().find_map(|way| given(way.as_ref()))?;
        let path = url.strip_prefix(&self.server().web)?.strip_prefix('/')?;
        let (owner, name) = path.trim_end_matches('/').split_once('/')?;
        let name = name.strip_suffix(".git").unwrap_or(name);
        (!name.contains('/')).then(|| Repository { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// A client for the context in `repository`: with its own token, else as the app, else with the workflow's token.
    ///
    /// # Errors
    /// When only one of the app's id and key is given.
    pub(super) fn context_client(&self, arguments: &ContextArguments, repository: &Repository) -> Result<Client, Problems> {
        let token = |text: &Option<String>| given(text.as_ref()).map(|text| Identity::Token(Secret::new(text)));
        let identity = token(&arguments.context_token).or(app(arguments, repository)?).or(token(&arguments.github_token));
        Ok(self.client(identity.unwrap_or(Identity::Anonymous)))
    }

    /// A client for the repository that the workflow is in.
    pub(super) fn workflow_client(&self, arguments: &ContextArguments) -> Option<Client> {
        let token = given(arguments.github_token.as_ref())?;
        Some(self.client(Identity::Token(Secret::new(token))))
    }

    /// A client for the plugins on the server: with the workflow's token, else as anybody.
    pub(super) fn plugin_client(&self, arguments: &ContextArguments) -> Client {
        let client = self.workflow_client(arguments).unwrap_or_else(|| self.client(Identity::Anonymous));
        client.cancelled_by(self.cancel.clone())
    }

    fn client(&self, identity: Identity) -> Client {
        Client::new(&self.world, &self.server(), identity).learning(self.learner())
    }
}

/// A value that was given: a variable without a text stands for none.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

/// The app that is given, for this repository alone.
fn app(arguments: &ContextArguments, repository: &Repository) -> Result<Option<Identity>, Problems> {
    match (given(arguments.app_id.as_ref()), given(arguments.app_private_key.as_ref())) {
        (Some(id), Some(key)) => {
            Ok(Some(Identity::App { id: id.to_owned(), key: Secret::new(key), repository: repository.clone() }))
        }
        (None, None) => Ok(None),
        (id, _) => {
            let (given, missing) = if id.is_some() { ("app-id", "app-private-key") } else { ("app-private-key", "app-id") };
            let message = format!("`{given}` is given, but `{missing}` is not");
            Err(Diagnostic::error(FailureReason::InvalidInput, message).help("give both, or neither").into())
        }
    }
}
