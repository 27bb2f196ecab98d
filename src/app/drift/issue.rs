//! One GitHub issue for each deployable and environment in which something changed outside: opened, kept up to date, and closed when that
//! is gone. It is found by a label and a hidden line, which also says what it was last about.

use std::collections::BTreeMap;

use crate::app::assemble::Grounds;
use crate::app::session::Session;
use crate::context::layout;
use crate::documents;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::drift::{DriftReport, PlaceDrift};
use crate::domain::failure::FailureReason;
use crate::domain::names::DeployableName;
use crate::domain::organization::Owner;
use crate::github::comment::LONGEST_COMMENT;
use crate::github::issue::{self, Issue};
use crate::github::{ApiError, Client, Repository, standing};
use crate::report::{self, Surroundings};
use crate::request::cli::Drift;
use crate::request::variables::runner as variables;

/// The label of every issue of ours.
const LABEL: &str = "tieline-drift";

/// The hidden line takes its part of the server's limit.
const LARGEST_BODY: usize = LONGEST_COMMENT - 300;

/// Keeps the issues about what was seen. What cannot be said is added to the report's problems.
///
/// # Errors
/// When the context cannot be read.
pub(super) async fn keep(
    session: &Session,
    arguments: &Drift,
    grounds: &Grounds,
    report: &mut DriftReport,
) -> Result<(), Problems> {
    let path = layout::workspace(&report.workspace);
    let workspace = session.context_document(&*grounds.opened.store, &grounds.head, &path, documents::workspace).await?;
    let owners = workspace.map(|workspace| workspace.owners).unwrap_or_default();
    let Some(client) = session.workflow_client(&arguments.target.context) else {
        report.problems.push(nowhere("`issue` needs a token that may write issues, and there is none"));
        return Ok(());
    };
    let run_url = session.workflow.as_ref().and_then(|workflow| workflow.run.url.clone());
    let own = session.world.variables.get(variables::REPOSITORY).and_then(|name| name.parse().ok());
    let mut desk = Desk { client, owners, own, run_url, named: BTreeMap::new(), read: BTreeMap::new() };
    for place in &mut report.places {
        match desk.settle(place).await {
            Ok(address) => place.issue = address,
            Err(problem) => add_once(&mut report.problems, *problem),
        }
    }
    if let Err(problem) = desk.close_departed(report, arguments.target.deployable.as_deref()).await {
        add_once(&mut report.problems, *problem);
    }
    Ok(())
}

fn nowhere(why: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, why)
        .help("in a workflow `github-token` is there by itself; elsewhere give it as `TIELINE_GITHUB_TOKEN`")
}

fn refused(problem: &ApiError) -> Box<Diagnostic> {
    Box::new(problem.diagnostic(FailureReason::ContextUnavailable).help("`issue` takes `issues: write`; or leave it out"))
}

/// What is wrong with the token is so for every deployable.
fn add_once(problems: &mut Problems, problem: Diagnostic) {
    if !problems.0.contains(&problem) {
        problems.push(problem);
    }
}

/// Whether another repository may do: this one is not for the token to write, or takes no issues.
fn is_closed_to_us(problem: &ApiError) -> bool {
    matches!(problem, ApiError::Denied { .. } | ApiError::NotFound { .. } | ApiError::Refused { status: 410, .. })
}

/// Where issues are written.
struct Desk {
    client: Client,
    /// Whose the deployables are.
    owners: BTreeMap<DeployableName, Owner>,
    /// The repository that the workflow runs in.
    own: Option<Repository>,
    run_url: Option<String>,
    /// Names of today of the owners' repositories, by their ids; none for those that are gone or not to be seen.
    named: BTreeMap<u64, Option<Repository>>,
    /// The issues of the repositories that were read.
    read: BTreeMap<Repository, Vec<Issue>>,
}

impl Desk {
    /// Has the issue about a place say what was seen of it. Its address, where there is one.
    async fn settle(&mut self, seen: &PlaceDrift) -> Result<Option<String>, Box<Diagnostic>> {
        let homes = self.homes(&seen.place).await?;
        if homes.is_empty() && seen.digest().is_some() {
            let why = format!(
                "there is no repository for an issue about `{}`: its workspace names no owner of it that is to be seen",
                seen.place
            );
            return Err(Box::new(nowhere(&why)));
        }
        let known = self.known(&seen.place, &homes).await?;
        match (seen.digest(), known) {
            (None, Some((home, issue))) if seen.is_same() && issue.is_open() => {
                self.close(&home, &issue, &seen.place, report::drift::settled(self.run_url.as_deref())).await?;
                Ok(None)
            }
            (None, known) => Ok(known.filter(|(_, issue)| issue.is_open()).map(|(_, issue)| issue.html_url)),
            // Nothing new to say. A person who closed it has seen it.
            (Some(digest), Some((_, issue))) if about(&issue, &seen.place).as_deref() == Some(digest.as_str()) => {
                Ok(Some(issue.html_url))
            }
            (Some(digest), Some((home, issue))) => {
                let body = self.body(seen, digest.as_str());
                let changed = issue::change(&self.client, &home, issue.number, &body).await;
                Ok(Some(changed.map_err(|problem| refused(&problem))?.html_url))
            }
            (Some(digest), None) => self.open(seen, digest.as_str(), &homes).await.map(Some),
        }
    }

    /// Closes what is open about deployables of which nothing is applied any more.
    async fn close_departed(&mut self, report: &DriftReport, only: Option<&str>) -> Result<(), Box<Diagnostic>> {
        if let Some(own) = self.own.clone() {
            match self.issues(&own).await {
                // Where it was needed, that was said.
                Ok(_) => {}
                Err(problem) if is_closed_to_us(&problem) => {}
                Err(problem) => return Err(refused(&problem)),
            }
        }
        let environment = format!("{}/{}/", report.workspace, report.environment);
        let departed = |issue: &Issue| {
            let (place, _) = marked(issue).filter(|_| issue.is_open())?;
            let deployable = DeployableName::new(place.strip_prefix(&environment)?).ok()?;
            let is_asked_for = only.is_none_or(|only| only == deployable.as_str());
            let is_there = report.places.iter().any(|seen| seen.place.deployable == deployable);
            let (workspace, environment) = (report.workspace.clone(), report.environment.clone());
            (is_asked_for && !is_there).then_some(Place { workspace, environment, deployable })
        };
        for (home, issues) in &self.read {
            for (issue, place) in issues.iter().filter_map(|issue| Some((issue, departed(issue)?))) {
                self.close(home, issue, &place, report::drift::departed(self.run_url.as_deref())).await?;
            }
        }
        Ok(())
    }

    /// The repositories that an issue about a place may be in, the best first: the deployable's owner's, and the workflow's own.
    async fn homes(&mut self, place: &Place) -> Result<Vec<Repository>, Box<Diagnostic>> {
        let owner = match self.owners.get(&place.deployable).map(|owner| owner.id) {
            Some(id) => self.owner(id).await?,
            None => None,
        };
        let own = self.own.clone().filter(|own| owner.as_ref() != Some(own));
        Ok(owner.into_iter().chain(own).collect())
    }

    /// An owner's repository by its id, which is what counts: its name may be another repository's by now.
    async fn owner(&mut self, id: u64) -> Result<Option<Repository>, Box<Diagnostic>> {
        if !self.named.contains_key(&id) {
            let named = match standing::repository(&self.client, id).await {
                Err(problem) if is_closed_to_us(&problem) => None,
                named => named.map_err(|problem| refused(&problem))?,
            };
            self.named.insert(id, named);
        }
        Ok(self.named.get(&id).cloned().flatten())
    }

    /// The issue about a place, in whichever of the repositories it is: an open one first, else the newest.
    async fn known(&mut self, place: &Place, homes: &[Repository]) -> Result<Option<(Repository, Issue)>, Box<Diagnostic>> {
        let mut found = Vec::new();
        for (at, home) in homes.iter().enumerate() {
            match self.issues(home).await {
                Ok(issues) => found.extend(
                    issues.iter().filter(|issue| about(issue, place).is_some()).map(|issue| (home.clone(), issue.clone())),
                ),
                Err(problem) if is_closed_to_us(&problem) && at + 1 < homes.len() => {}
                Err(problem) => return Err(refused(&problem)),
            }
        }
        let open = found.iter().position(|(_, issue)| issue.is_open());
        Ok(found.into_iter().nth(open.unwrap_or_default()))
    }

    /// Our issues in a repository, read once.
    async fn issues(&mut self, home: &Repository) -> Result<&[Issue], ApiError> {
        if !self.read.contains_key(home) {
            let issues = issue::labelled(&self.client, home, LABEL).await?;
            self.read.insert(home.clone(), issues);
        }
        Ok(self.read.get(home).map_or(&[], Vec::as_slice))
    }

    /// Opens an issue in the first of the repositories that takes it.
    async fn open(&self, seen: &PlaceDrift, digest: &str, homes: &[Repository]) -> Result<String, Box<Diagnostic>> {
        let title = format!("Changed outside of Terraform: {}", seen.place);
        let body = self.body(seen, digest);
        for (at, home) in homes.iter().enumerate() {
            match issue::open(&self.client, home, &title, &body, LABEL).await {
                Ok(issue) if issue.has_label(LABEL) => return Ok(issue.html_url),
                Ok(issue) => return Err(self.unlabelled(home, &issue, &seen.place).await),
                Err(problem) if is_closed_to_us(&problem) && at + 1 < homes.len() => {}
                Err(problem) => return Err(refused(&problem)),
            }
        }
        Err(Box::new(nowhere("no repository takes an issue")))
    }

    /// An issue that would not be found again would be opened anew by every run.
    async fn unlabelled(&self, home: &Repository, issue: &Issue, place: &Place) -> Box<Diagnostic> {
        let why = "Closed: without its label it would not be found again.".to_owned();
        if let Err(problem) = self.close(home, issue, place, why).await {
            return problem;
        }
        let message = format!("the token may open issues in `{home}`, but may not give them the label `{LABEL}`");
        Box::new(Diagnostic::error(FailureReason::PermissionDenied, message).help("give a token that may triage there"))
    }

    async fn close(&self, home: &Repository, issue: &Issue, place: &Place, why: String) -> Result<(), Box<Diagnostic>> {
        let body = issue.body();
        let text = body.split_once('\n').map_or("", |(_, text)| text);
        let body = format!("{}{text}", marker(place, "gone"));
        issue::close(&self.client, home, issue.number, &body, &why).await.map_err(|problem| refused(&problem))
    }

    fn body(&self, seen: &PlaceDrift, digest: &str) -> String {
        let surroundings = Surroundings {
            command: "drift".to_owned(),
            title: seen.place.to_string(),
            run_url: self.run_url.clone(),
            ..Surroundings::default()
        };
        format!("{}{}", marker(&seen.place, digest), report::drift::issue(seen, &surroundings, LARGEST_BODY))
    }
}

const MARKER: &str = "<!-- tieline: drift ";

/// The first line of an issue's text, which nobody sees: the place, and what is said of it.
fn marker(place: &Place, digest: &str) -> String {
    format!("{MARKER}{place} {digest} -->\n")
}

/// The place that an issue is about, and what it says of it.
fn marked(issue: &Issue) -> Option<(String, String)> {
    let body = issue.body();
    let (place, digest) = body.lines().next()?.strip_prefix(MARKER)?.strip_suffix(" -->")?.split_once(' ')?;
    Some((place.to_owned(), digest.to_owned()))
}

/// What an issue says of this place, if it is about it.
fn about(issue: &Issue, place: &Place) -> Option<String> {
    marked(issue).filter(|(of, _)| *of == place.to_string()).map(|(_, digest)| digest)
}
