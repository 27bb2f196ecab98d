//! Trying a role: one call to AWS's security token service, which needs no credentials but the token. What it gives is dropped.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use http::{Request, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use roxmltree::Document;

use super::token::Token;
use crate::domain::account::{Arn, is_region};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::world::{Variables, World};

/// An answer has a few kilobytes.
const LONGEST_ANSWER: usize = 256 << 10;
/// The shortest life that credentials may have, in seconds: nobody uses these.
const LIFE: &str = "900";
/// How often to ask again where the trouble may pass.
const RETRIES: usize = 3;

/// A role that is asked for.
pub(super) struct Asked<'a> {
    pub(super) role: &'a str,
    /// The field that names it.
    pub(super) field: &'static str,
    pub(super) session: String,
    pub(super) region: Option<&'a str>,
}

/// Why there is no role.
enum Refusal {
    /// Nobody answered.
    Unreachable(String),
    /// The service's own code and words.
    Refused { code: String, message: String },
}

impl Refusal {
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { code, .. } => {
                ["IDPCommunicationError", "InternalFailure", "ServiceUnavailable", "Throttling"].contains(&code.as_str())
            }
        }
    }
}

impl Asked<'_> {
    /// Asks for the role; it must be given, and be of `account` where that is said.
    pub(super) async fn of(&self, world: &World, token: &Token, account: Option<&str>) -> Result<(), Problems> {
        let assumed = assume(world.clone(), self.endpoint(world), self.form(token));
        let assumed = assumed.await.map_err(|refusal| self.explain(&refusal, token))?;
        let found = Arn::of("sts", &assumed).map(|arn| arn.account);
        if account.is_some() && found != account {
            let message = format!("the role `{}` is not in the account that it should be in", self.role);
            return Err(Diagnostic::error(FailureReason::PermissionDenied, message)
                .note(format!("AWS gave `{assumed}`"))
                .help("find out who answers in AWS's place: a proxy, or `AWS_ENDPOINT_URL_STS`")
                .into());
        }
        Ok(())
    }

    fn form(&self, token: &Token) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let parameters = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("DurationSeconds", LIFE),
            ("RoleArn", self.role),
            ("RoleSessionName", &self.session),
            ("WebIdentityToken", token.text.expose()),
        ];
        parameters.map(|(name, value)| format!("{name}={}", encoded(value))).join("&")
    }

    /// Where the service is.
    fn endpoint(&self, world: &World) -> String {
        let variables = &world.variables;
        let ambient = || variables.get("AWS_REGION").or_else(|| variables.get("AWS_DEFAULT_REGION"));
        match (named_endpoint(variables), self.region.or_else(ambient).filter(|region| is_region(region))) {
            (Some(url), _) => url.to_owned(),
            (None, Some(region)) if region.starts_with("cn-") => format!("https://sts.{region}.amazonaws.com.cn/"),
            (None, Some(region)) => format!("https://sts.{region}.amazonaws.com/"),
            (None, None) => "https://sts.amazonaws.com/".to_owned(),
        }
    }

    fn explain(&self, refusal: &Refusal, token: &Token) -> Diagnostic {
        let Self { role, field, .. } = self;
        let (code, message) = match refusal {
            Refusal::Unreachable(why) => {
                let message = format!("cannot ask AWS for the `{field}` of the account, `{role}`: {why}");
                return Diagnostic::error(FailureReason::PermissionDenied, message)
                    .help("check the network and proxies of the runner; `AWS_ENDPOINT_URL_STS` names another address");
            }
            Refusal::Refused { code, message } => (code, message),
        };
        let issuer = token.issuer();
        let refused = format!("AWS does not give this workflow the `{field}` of the account, `{role}`");
        let diagnostic = Diagnostic::error(FailureReason::PermissionDenied, refused)
            .note(format!("{code}: {message}"))
            .note(format!("the workflow's token is by `{issuer}`, of `{}`, for `{}`", token.subject(), token.audience()));
        match code.as_str() {
            "InvalidIdentityToken" => diagnostic.help(format!(
                "let the role's account know the identity provider `{issuer}`, with the audience `{}`",
                token.audience()
            )),
            "AccessDenied" => diagnostic.help(format!(
                "let the role's trust policy allow `sts:AssumeRoleWithWebIdentity` where `{issuer}:sub` is `{}` and `{issuer}:aud` is `{}`; see `docs/cloud.md`",
                token.subject(), token.audience()
            )),
            _ => diagnostic.help("see `docs/cloud.md` for what the role must allow"),
        }
    }
}

/// Where the service is, if somebody says so.
pub(super) fn named_endpoint(variables: &Variables) -> Option<&str> {
    variables.get("AWS_ENDPOINT_URL_STS").or_else(|| variables.get("AWS_ENDPOINT_URL"))
}

/// Asks, and again where the trouble may pass: a role that is given and not used changes nothing. Gives the name of the session.
fn assume(world: World, endpoint: String, form: String) -> impl Future<Output = Result<String, Refusal>> + Send {
    let clock = world.clock.clone();
    (move || ask(world.clone(), endpoint.clone(), form.clone()))
        .retry(ExponentialBuilder::default().with_min_delay(Duration::from_millis(500)).with_max_times(RETRIES).with_jitter())
        .sleep(move |pause| {
            let clock = clock.clone();
            async move { clock.sleep(pause).await }
        })
        .when(Refusal::may_pass)
}

async fn ask(world: World, endpoint: String, form: String) -> Result<String, Refusal> {
    let unreachable = |problem: &dyn std::fmt::Display| Refusal::Unreachable(problem.to_string());
    let request = Request::post(endpoint)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
        .body(form.into_bytes())
        .map_err(|problem| unreachable(&problem))?;
    let answer = world.http.send(request, LONGEST_ANSWER).await.map_err(|problem| unreachable(&problem))?;
    let status = answer.status();
    let text = String::from_utf8_lossy(answer.body());
    let document = Document::parse(&text).ok();
    let said = |name: &str| {
        let mut elements = document.iter().flat_map(Document::descendants);
        elements.find(|element| element.has_tag_name(name)).and_then(|element| element.text()).map(str::to_owned)
    };
    match said("Arn").filter(|_| status.is_success()) {
        Some(assumed) => Ok(assumed),
        None if status.is_server_error() => Err(Refusal::Unreachable(format!("the service answered {status}"))),
        None => Err(Refusal::Refused {
            code: said("Code").unwrap_or_else(|| status.to_string()),
            message: said("Message").unwrap_or_default(),
        }),
    }
}
