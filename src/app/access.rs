//! Who we are for the GitHub server, and what git is given to reach a repository on it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::github::{Client, Identity, Repository, Server};
use crate::request::cli::ContextArguments;
use crate::request::variables::runner;
use crate::secrets::Secret;
use crate::world::{Variables, World};

/// How many settings git is given in variables.
const COUNT: &str = "GIT_CONFIG_COUNT";

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

    /// The world that git reaches the context at `url` in: on the server that the workflow runs on, with the token that is given.
    pub(super) fn world_for_git(&self, arguments: &ContextArguments, url: &str) -> World {
        let web = self.server().web;
        let is_on_server = web.starts_with("https://") && url.starts_with(&format!("{web}/"));
        match given(arguments.context_token.as_ref()).or(given(arguments.github_token.as_ref())) {
            Some(token) if is_on_server => {
                let variables = with_header(&self.world.variables, &web, &Secret::new(token));
                World { variables: Arc::new(variables), ..self.world.clone() }
            }
            _ => self.world.clone(),
        }
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
        let token = arguments.github_token.as_ref()?;
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

/// The variables with the token in a header that git sends to the server at `web` and to no other. In a variable it is not seen on
/// a command line, and git writes it nowhere.
fn with_header(variables: &Variables, web: &str, token: &Secret) -> Variables {
    let count = variables.get(COUNT).and_then(|count| count.parse::<usize>().ok()).unwrap_or_default();
    let credentials = STANDARD.encode(format!("x-access-token:{}", token.expose()));
    let further = [
        (format!("GIT_CONFIG_KEY_{count}"), format!("http.{web}/.extraHeader")),
        (format!("GIT_CONFIG_VALUE_{count}"), format!("Authorization: Basic {credentials}")),
        (COUNT.to_owned(), (count + 1).to_string()),
    ];
    let present = variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Variables::new(present.chain(further))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r69_git_is_given_the_token_in_a_variable_for_one_server() {
        let given = [(COUNT, "1"), ("GIT_CONFIG_KEY_0", "a.b"), ("GIT_CONFIG_VALUE_0", "c")];
        let variables = Variables::new(given.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let variables = with_header(&variables, "https://git.example", &Secret::new("ghs_1"));
        assert_eq!(
            variables.iter().collect::<Vec<_>>(),
            [
                (COUNT, "2"),
                ("GIT_CONFIG_KEY_0", "a.b"),
                ("GIT_CONFIG_KEY_1", "http.https://git.example/.extraHeader"),
                ("GIT_CONFIG_VALUE_0", "c"),
                ("GIT_CONFIG_VALUE_1", "Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzE="),
            ]
        );
    }
}
