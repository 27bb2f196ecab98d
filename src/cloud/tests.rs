//! The identity against a scripted AWS, token source and clock.
#![allow(clippy::disallowed_methods, reason = "a test looks at files from outside")]
#![allow(clippy::needless_pass_by_value, reason = "`json!(…)` reads well as an argument")]

use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use http::{Request, Response};
use serde_json::json;

use super::*;
use crate::domain::address::Place;
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, DeployableName, EnvironmentName, WorkspaceName};
use crate::secrets::Redactor;
use crate::world::{Clock, Http, HttpError, Variables};

const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";
const GIVEN: &str = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/deploy/s</Arn></AssumedRoleUser>\
    <Credentials><SecretAccessKey>canary-of-the-credentials</SecretAccessKey></Credentials>\
    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

/// Answers as written, in order; what is asked beyond them fails the test.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<(u16, String), HttpError>>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Http for Scripted {
    async fn send(&self, request: Request<Vec<u8>>, _limit: usize) -> Result<Response<Vec<u8>>, HttpError> {
        let body = String::from_utf8(request.body().clone()).unwrap();
        self.asked.lock().unwrap().push(format!("{} {} {body}", request.method(), request.uri()));
        let (status, body) = self.answers.lock().unwrap().pop_front().expect("nothing more is asked")?;
        Ok(Response::builder().status(status).body(body.into_bytes()).unwrap())
    }
}

/// Time passes at once, and `waited` knows how much.
#[derive(Default)]
struct Waited(Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for Waited {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
        tokio::task::yield_now().await;
    }
}

const LAST_TOKEN: usize = 3;

/// Gives tokens numbered from 1, where the script does not say otherwise.
#[derive(Default)]
struct Tokens {
    given: Mutex<usize>,
    refused: Mutex<VecDeque<bool>>,
}

fn token(number: usize) -> String {
    let claims = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "iat": 1000, "exp": 1300,
        "sub": "repo:acme/shop:environment:staging", "jti": number,
    });
    format!("e30.{}.signature-{number}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, audience: &str) -> Result<Secret, Box<Diagnostic>> {
        assert_eq!(audience, "sts.amazonaws.com");
        if self.refused.lock().unwrap().pop_front().unwrap_or_default() {
            return Err(Diagnostic::error(FailureReason::PermissionDenied, "GitHub is away").into());
        }
        let number = *self.given.lock().unwrap() + 1;
        if number > LAST_TOKEN {
            std::future::pending::<()>().await;
        }
        *self.given.lock().unwrap() = number;
        Ok(Secret::new(token(number)))
    }
}

struct Scene {
    http: Arc<Scripted>,
    clock: Arc<Waited>,
    tokens: Arc<Tokens>,
    redactor: Redactor,
    variables: Vec<(&'static str, &'static str)>,
}

impl Scene {
    fn answering(answers: impl IntoIterator<Item = (u16, &'static str)>) -> Self {
        let answers = answers.into_iter().map(|(status, body)| Ok((status, body.to_owned()))).collect();
        Self {
            http: Arc::new(Scripted { answers: Mutex::new(answers), ..Scripted::default() }),
            clock: Arc::default(),
            tokens: Arc::default(),
            redactor: Redactor::default(),
            variables: Vec::new(),
        }
    }

    async fn open(&self, purpose: Purpose, account: &Account) -> Result<WebIdentity, Problems> {
        let redactor = self.redactor.clone();
        let learn: Learn = Box::new(move |token| redactor.learn(token));
        let variables = self.variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let world = World {
            http: self.http.clone(),
            clock: self.clock.clone(),
            variables: Arc::new(Variables::new(variables)),
            ..crate::world::os::world().unwrap()
        };
        WebIdentity::open(&world, self.tokens.clone(), learn, (purpose, "RUN"), account).await
    }

    async fn refusal(&self) -> String {
        let problems = self.open(Purpose::Deploy, &account(json!({}))).await.err().unwrap();
        assert!(problems.0.iter().all(|problem| problem.reason == FailureReason::PermissionDenied));
        let texts =
            problems.0.iter().flat_map(|problem| std::iter::once(&problem.message).chain(&problem.notes).chain(&problem.help));
        texts.cloned().collect::<Vec<_>>().join("\n")
    }

    fn asked(&self) -> Vec<String> {
        self.http.asked.lock().unwrap().clone()
    }
}

fn account(more: serde_json::Value) -> Account {
    let mut account = json!({"provider": "aws", "id": "123456789012", "role": ROLE, "region": "sa-east-1"});
    account.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(account).unwrap()
}

fn shop() -> (Place, Alias) {
    let place = Place {
        workspace: WorkspaceName::new("retail").unwrap(),
        environment: EnvironmentName::new("staging").unwrap(),
        deployable: DeployableName::new("shop").unwrap(),
    };
    (place, Alias::new("api").unwrap())
}

#[tokio::test]
async fn a_role_is_tried_once_where_the_region_is() {
    let scene = Scene::answering([(200, GIVEN)]);
    let account = account(json!({}));
    let identity = scene.open(Purpose::Deploy, &account).await.unwrap();
    identity.admit(&account).await.unwrap();
    let encoded = percent_encoding::utf8_percent_encode(&token(1), percent_encoding::NON_ALPHANUMERIC).to_string();
    insta::assert_snapshot!(scene.asked().join("\n").replace(&encoded, "<token>"), @r#"
    POST https://sts.sa-east-1.amazonaws.com/ Action=AssumeRoleWithWebIdentity&Version=2011%2D06%2D15&DurationSeconds=900&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdeploy&RoleSessionName=tieline%2DRUN%2Dcheck&WebIdentityToken=<token>
    "#);
}

#[tokio::test]
async fn a_plan_takes_the_plan_role_alone_and_a_deploy_has_one_for_states() {
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    let account = account(json!({"plan-role": role("look"), "state-role": "arn:aws:iam::999999999999:role/states"}));
    let (place, alias) = shop();
    let states = "arn:aws:iam::999999999999:role/states";
    for (purpose, name, state_role) in [(Purpose::Plan, "look", None), (Purpose::Deploy, "deploy", Some(states))] {
        let scene = Scene::answering([(200, GIVEN), (200, GIVEN)]);
        let identity = scene.open(purpose, &account).await.unwrap();
        let asked = scene.asked();
        assert!(asked[0].contains(&format!("role%2F{name}&")), "{asked:?}");
        assert_eq!(asked.get(1).map(|asked| asked.contains("999999999999")), state_role.map(|_| true), "{asked:?}");
        let child = identity.child(&account, &place, &alias).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let variables = identity.hand_over(&child, folder.path()).unwrap();
        assert_eq!(variables["AWS_ROLE_ARN"], Some(role(name)));
        assert_eq!(child.state_role.as_deref(), state_role);
    }
}

#[tokio::test]
async fn a_role_of_another_account_is_refused() {
    let scene = Scene::answering([(200, "<a><Arn>arn:aws:sts::999999999999:assumed-role/deploy/s</Arn></a>")]);
    insta::assert_snapshot!(scene.refusal().await, @r#"
    the role `arn:aws:iam::123456789012:role/deploy` is not in the account that it should be in
    AWS gave `arn:aws:sts::999999999999:assumed-role/deploy/s`
    find out who answers in AWS's place: a proxy, or `AWS_ENDPOINT_URL_STS`
    "#);
}

#[tokio::test]
async fn what_the_trust_policy_must_allow_is_said() {
    let scene = Scene::answering([(
        403,
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
         <Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>",
    )]);
    insta::assert_snapshot!(scene.refusal().await, @r#"
    AWS does not give this workflow the `role` of the account, `arn:aws:iam::123456789012:role/deploy`
    AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity
    the workflow's token is by `token.actions.githubusercontent.com`, of `repo:acme/shop:environment:staging`, for `sts.amazonaws.com`
    let the role's trust policy allow `sts:AssumeRoleWithWebIdentity` where `token.actions.githubusercontent.com:sub` is `repo:acme/shop:environment:staging` and `token.actions.githubusercontent.com:aud` is `sts.amazonaws.com`; see `docs/cloud.md`
    "#);
}

#[tokio::test]
async fn an_account_that_does_not_know_the_issuer_is_said() {
    let scene = Scene::answering([(
        400,
        "<ErrorResponse><Error><Code>InvalidIdentityToken</Code>\
         <Message>No OpenIDConnect provider found in your account</Message></Error></ErrorResponse>",
    )]);
    insta::assert_snapshot!(scene.refusal().await, @r#"
    AWS does not give this workflow the `role` of the account, `arn:aws:iam::123456789012:role/deploy`
    InvalidIdentityToken: No OpenIDConnect provider found in your account
    the workflow's token is by `token.actions.githubusercontent.com`, of `repo:acme/shop:environment:staging`, for `sts.amazonaws.com`
    let the role's account know the identity provider `token.actions.githubusercontent.com`, with the audience `sts.amazonaws.com`
    "#);
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_what_does_not_pass_is_said() {
    let passing = "<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error></ErrorResponse>";
    let scene = Scene::answering([(503, ""), (400, passing), (200, GIVEN)]);
    scene.open(Purpose::Deploy, &account(json!({}))).await.unwrap();
    assert_eq!(scene.asked().len(), 3);

    let scene = Scene::answering([(503, ""); 4]);
    insta::assert_snapshot!(scene.refusal().await, @r#"
    cannot ask AWS for the `role` of the account, `arn:aws:iam::123456789012:role/deploy`: the service answered 503 Service Unavailable
    check the network and proxies of the runner; `AWS_ENDPOINT_URL_STS` names another address
    "#);
}

#[tokio::test]
async fn without_a_token_nothing_is_asked_of_aws() {
    let scene = Scene::answering([]);
    scene.tokens.refused.lock().unwrap().push_back(true);
    assert_eq!(scene.refusal().await, "GitHub is away");
}

#[tokio::test]
async fn r69_a_terraform_has_its_role_and_no_other_credentials() {
    let mut scene = Scene::answering([(200, GIVEN)]);
    scene.variables = vec![
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_SESSION_TOKEN", "x"),
        ("AWS_PROFILE", "x"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "x"),
        ("AWS_ENDPOINT_URL_S3", "http://s3.test"),
        ("AWS_CA_BUNDLE", "/ca.pem"),
        ("HOME", "/home/ana"),
    ];
    let account = account(json!({}));
    let identity = scene.open(Purpose::Deploy, &account).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (place, alias) = shop();
    let child = identity.child(&account, &place, &alias).unwrap();
    let variables = identity.hand_over(&child, folder.path()).unwrap();
    let shown =
        variables.iter().map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("(none)"))).collect::<Vec<_>>();
    insta::assert_snapshot!(shown.join("\n").replace(folder.path().to_str().unwrap(), "<folder>"), @r#"
    AWS_ACCESS_KEY_ID=(none)
    AWS_CONFIG_FILE=/dev/null
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=(none)
    AWS_EC2_METADATA_DISABLED=true
    AWS_PROFILE=(none)
    AWS_REGION=sa-east-1
    AWS_ROLE_ARN=arn:aws:iam::123456789012:role/deploy
    AWS_ROLE_SESSION_NAME=tieline-RUN-api
    AWS_SECRET_ACCESS_KEY=(none)
    AWS_SESSION_TOKEN=(none)
    AWS_SHARED_CREDENTIALS_FILE=/dev/null
    AWS_WEB_IDENTITY_TOKEN_FILE=<folder>/web-identity-token
    "#);

    let file = folder.path().join(TOKEN_FILE);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), token(1));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(scene.redactor.redact(&token(1)), "***", "it is known before it is used");
    identity.withdraw();
    assert!(!file.exists());
}

#[test]
fn a_session_has_a_name_that_aws_takes() {
    let name = child::session(&["01ARZ3NDEKTSV4RRFFQ69G5FAV", &"a".repeat(63)]);
    assert_eq!((name.len(), name.starts_with("tieline-01ARZ3NDEKTSV4RRFFQ69G5FAV-aaa")), (64, true));
}

#[tokio::test]
async fn a_token_is_renewed_at_half_its_life_and_again_when_that_failed() {
    let scene = Scene::answering([(200, GIVEN)]);
    let account = account(json!({}));
    let identity = scene.open(Purpose::Deploy, &account).await.unwrap();
    scene.tokens.refused.lock().unwrap().extend([false, true, true]);
    let folder = tempfile::tempdir().unwrap();
    let (place, alias) = shop();
    identity.hand_over(&identity.child(&account, &place, &alias).unwrap(), folder.path()).unwrap();
    let said = Mutex::new(Vec::new());
    let say = |text: String| said.lock().unwrap().push(text);
    let third = async {
        while std::fs::read_to_string(folder.path().join(TOKEN_FILE)).unwrap() != token(3) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = third => {}
        never = identity.keep_fresh(&say) => match never {},
    }
    let waited: Vec<u64> = scene.clock.0.lock().unwrap().iter().map(Duration::as_secs).take(4).collect();
    assert_eq!(waited, [150, 150, 15, 15]);
    insta::assert_snapshot!(said.into_inner().unwrap().join("\n"), @r#"
    the workflow's OIDC token ends at 00:21:40 UTC and could not be renewed, which is tried again: GitHub is away
    the workflow's OIDC token is renewed again
    "#);
    assert_eq!(scene.redactor.redact(&token(3)), "***");
}

#[test]
fn a_token_that_cannot_be_read_still_has_a_life() {
    for text in ["", "no token", "a.b.c", "e30.e30.x"] {
        let token = Token::read(Secret::new(text));
        assert_eq!((token.half_life().as_secs(), token.subject().as_str()), (150, "(not said)"), "{text}");
    }
}
