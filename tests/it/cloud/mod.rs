//! Roles in the cloud by a workflow's OIDC token: what each Terraform is given, and what is refused before any of them starts.

pub(crate) mod sts;

use std::fs;
use std::path::Path;

use chrono::TimeDelta;
use tempfile::TempDir;

use crate::github::GitHub;
use crate::harness::{Project, needs_terraform};

use sts::Sts;

pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";
const PLAN_ROLE: &str = "arn:aws:iam::123456789012:role/plan";
pub(crate) const SUBJECT: &str = "repo:acme/shop:environment:staging";

/// A workflow's job whose environment has an account, with a terraform that leaves word of what it was given.
struct Job {
    project: Project,
    /// Held for its life.
    _github: GitHub,
    sts: Sts,
    /// Per alias and command: the environment, and the token.
    seen: TempDir,
}

impl Job {
    /// With these fields in the account, and tokens that live so long.
    fn new(roles: &str, life: TimeDelta) -> Self {
        let mut project = Project::shop();
        for workspace in ["platform", "retail"] {
            let account = format!("account: {{provider: aws, id: '123456789012', region: sa-east-1, {roles}}}\n");
            project.edit_context(
                &format!("workspaces/{workspace}/environments/staging.yaml"),
                "backend:",
                &format!("{account}backend:"),
            );
        }
        let github = GitHub::start();
        let sts = Sts::trusting(&[(ROLE, SUBJECT), (PLAN_ROLE, SUBJECT)]);
        for (name, value) in identity_of_a_job(&github, &sts, life) {
            project.set(name, &value);
        }
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "of-the-runner"),
            ("AWS_SECRET_ACCESS_KEY", "of-the-runner"),
            ("AWS_PROFILE", "of-the-runner"),
            ("GITHUB_TOKEN", "of-the-runner"),
            ("ACTIONS_RUNTIME_TOKEN", "of-the-runner"),
        ] {
            project.set(name, value);
        }
        let mut job = Self { project, _github: github, sts, seen: tempfile::tempdir().unwrap() };
        job.terraform_first("");
        job
    }

    /// Before terraform itself, its environment and token are kept, and then this script is run.
    fn terraform_first(&mut self, script: &str) {
        let place = format!("'{}'/\"$(basename \"$PWD\").$1\"", self.seen.path().display());
        let keep = format!(
            "env | sort > {place}\n[ -z \"$AWS_WEB_IDENTITY_TOKEN_FILE\" ] || cp \"$AWS_WEB_IDENTITY_TOKEN_FILE\" {place}.token\n"
        );
        self.project.wrap_terraform(&format!("{keep}{script}"));
    }

    /// The variables of AWS and all that is the runner's, as a terraform command of an applied plugin had them.
    fn environment(&self, alias: &str, command: &str) -> String {
        let text = fs::read_to_string(self.seen.path().join(format!("{alias}.{command}"))).unwrap();
        let folder = text.lines().find_map(|line| line.strip_prefix("PWD=")).unwrap().to_owned();
        let ours =
            text.lines().filter(|line| line.starts_with("AWS_") || line.contains("of-the-runner") || line.contains("ACTIONS"));
        let shown = ours.collect::<Vec<_>>().join("\n").replace(&folder, "<folder>").replace(&self.sts.url, "<sts>");
        without_id(&shown)
    }

    /// The subject of the token that a terraform command of an applied plugin had.
    fn subject(&self, alias: &str, command: &str) -> String {
        let token = fs::read_to_string(self.seen.path().join(format!("{alias}.{command}.token"))).unwrap();
        GitHub::claims(&token).unwrap()["sub"].as_str().unwrap().to_owned()
    }

    fn started_terraform(&self) -> bool {
        fs::read_dir(self.seen.path()).unwrap().any(|entry| !entry.unwrap().file_name().to_string_lossy().ends_with(".version"))
    }
}

/// The variables of a job that may have identity tokens, each living so long, and trades them at this service.
pub(crate) fn identity_of_a_job(github: &GitHub, sts: &Sts, life: TimeDelta) -> [(&'static str, String); 4] {
    let identity = github.identity_living(SUBJECT, life);
    [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", identity.url),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", identity.token),
        ("AWS_ENDPOINT_URL_STS", sts.url.clone()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
    ]
}

/// The id of a run, told by its length and letters, differs each time.
fn without_id(text: &str) -> String {
    let is_id = |part: &str| part.len() == 26 && part.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    text.split('-').map(|part| if is_id(part) { "<run>" } else { part }).collect::<Vec<_>>().join("-")
}

/// Whether a token is in a file below this folder.
fn holds_token(folder: &Path) -> bool {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .any(|path| if path.is_dir() { holds_token(&path) } else { path.ends_with("web-identity-token") })
}

const MINUTES: TimeDelta = TimeDelta::minutes(5);

#[test]
fn tf_r69_each_terraform_has_the_role_and_no_other_credentials() {
    needs_terraform!();
    let job = Job::new(&format!("role: '{ROLE}', plan-role: '{PLAN_ROLE}'"), MINUTES);
    job.project.deploy("network").succeeds().never_says("eyJ");
    job.project.deploy("shop").succeeds();
    insta::assert_snapshot!(job.environment("database", "apply"), @r#"
    AWS_CONFIG_FILE=/dev/null
    AWS_EC2_METADATA_DISABLED=true
    AWS_ENDPOINT_URL_STS=<sts>
    AWS_REGION=sa-east-1
    AWS_ROLE_ARN=arn:aws:iam::123456789012:role/deploy
    AWS_ROLE_SESSION_NAME=tieline-<run>-database
    AWS_SHARED_CREDENTIALS_FILE=/dev/null
    AWS_WEB_IDENTITY_TOKEN_FILE=<folder>/web-identity-token
    "#);
    for (alias, command) in [("vpc", "init"), ("vpc", "plan"), ("vpc", "apply"), ("database", "plan"), ("api", "apply")] {
        assert!(job.environment(alias, command).contains(&format!("AWS_ROLE_ARN={ROLE}\n")), "{alias} {command}");
        assert_eq!(job.subject(alias, command), SUBJECT);
    }
    assert!(!holds_token(&job.project.temporary()), "a token outlived its run");
    let recorded = job.project.git(".tieline/context.git", &["log", "--all", "-p"]);
    assert!(!recorded.contains("eyJ"), "a token was recorded");
}

#[test]
fn tf_a_plan_takes_the_plan_role_only() {
    needs_terraform!();
    let job = Job::new(&format!("role: '{ROLE}', plan-role: '{PLAN_ROLE}'"), MINUTES);
    job.project.plan("network").succeeds();
    insta::assert_snapshot!(job.environment("vpc", "plan"), @r#"
    AWS_CONFIG_FILE=/dev/null
    AWS_EC2_METADATA_DISABLED=true
    AWS_ENDPOINT_URL_STS=<sts>
    AWS_REGION=sa-east-1
    AWS_ROLE_ARN=arn:aws:iam::123456789012:role/plan
    AWS_ROLE_SESSION_NAME=tieline-plan-vpc
    AWS_SHARED_CREDENTIALS_FILE=/dev/null
    AWS_WEB_IDENTITY_TOKEN_FILE=<folder>/web-identity-token
    "#);
    let given = job.sts.given();
    assert!(given.iter().all(|given| given.role == PLAN_ROLE), "{given:?}");
}

#[test]
fn tf_the_token_is_renewed_while_terraform_runs() {
    needs_terraform!();
    let mut job = Job::new(&format!("role: '{ROLE}'"), TimeDelta::seconds(2));
    job.terraform_first(
        "if [ \"$1\" = apply ]; then\n\
           first=$(cat \"$AWS_WEB_IDENTITY_TOKEN_FILE\"); tries=0\n\
           while [ \"$(cat \"$AWS_WEB_IDENTITY_TOKEN_FILE\")\" = \"$first\" ]; do\n\
             tries=$((tries + 1)); [ $tries -lt 300 ] || exit 9; sleep 0.1\n\
           done\n\
         fi\n",
    );
    job.project.deploy("network").succeeds();
}

#[test]
fn tf_a_role_that_does_not_trust_the_job_is_refused_before_terraform_starts() {
    needs_terraform!();
    let mut job = Job::new(&format!("role: '{ROLE}'"), MINUTES);
    job.sts = Sts::trusting(&[(ROLE, "repo:acme/shop:environment:production")]);
    let url = job.sts.url.clone();
    job.project.set("AWS_ENDPOINT_URL_STS", &url);
    let ran = job.project.deploy("network").fails(2, "permission-denied");
    insta::assert_snapshot!(without_port(&ran.stderr), @r#"
    error[permission-denied]: AWS does not give this workflow the `role` of the account, `arn:aws:iam::123456789012:role/deploy`
     --> context:workspaces/platform/environments/staging.yaml:4:1
      |
    4 | account: {provider: aws, id: '123456789012', region: sa-east-1, role: 'arn:aws:iam::123456789012:role/deploy'}
      | ^^^^^^^
      |
      = note: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity
      = note: the workflow's token is by `http://127.0.0.1:<port>/_oidc`, of `repo:acme/shop:environment:staging`, for `sts.amazonaws.com`
      = help: let the role's trust policy allow `sts:AssumeRoleWithWebIdentity` where `http://127.0.0.1:<port>/_oidc:sub` is `repo:acme/shop:environment:staging` and `http://127.0.0.1:<port>/_oidc:aud` is `sts.amazonaws.com`; see `docs/cloud.md`
    "#);
    assert!(!job.started_terraform());
}

#[test]
fn tf_a_job_without_identity_is_told_the_permission_that_it_lacks() {
    needs_terraform!();
    let mut job = Job::new(&format!("role: '{ROLE}'"), MINUTES);
    for (name, value) in [("ACTIONS_ID_TOKEN_REQUEST_URL", ""), ("GITHUB_ACTIONS", "true")] {
        job.project.set(name, value);
    }
    let ran = job.project.deploy("network").fails(2, "permission-denied");
    insta::assert_snapshot!(ran.stderr, @r#"
    error[permission-denied]: the workflow's job may not have an identity token: it lacks `id-token: write`
     --> context:workspaces/platform/environments/staging.yaml:4:1
      |
    4 | account: {provider: aws, id: '123456789012', region: sa-east-1, role: 'arn:aws:iam::123456789012:role/deploy'}
      | ^^^^^^^
      |
      = note: the runner gave no `ACTIONS_ID_TOKEN_REQUEST_URL`
      = help: add `id-token: write` to `permissions:` of the workflow's job
      = help: pull requests from forks never get one
    "#);
    assert!(!job.started_terraform());
}

#[test]
fn tf_a_person_uses_their_own_credentials() {
    needs_terraform!();
    let mut job = Job::new(&format!("role: '{ROLE}'"), MINUTES);
    job.project.set("ACTIONS_ID_TOKEN_REQUEST_URL", "");
    job.project.deploy("network").succeeds().says("outside of a workflow the role");
    insta::assert_snapshot!(job.environment("vpc", "apply"), @r#"
    AWS_ACCESS_KEY_ID=of-the-runner
    AWS_ENDPOINT_URL_STS=<sts>
    AWS_PROFILE=of-the-runner
    AWS_SECRET_ACCESS_KEY=of-the-runner
    "#);
    assert_eq!(job.sts.given(), []);
}

/// The port of an issuer on loopback differs each time.
fn without_port(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| shown + "127.0.0.1:<port>" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}
