//! AWS's security token service, as far as roles by web identity go: it gives a role to whom its trust policy names, and to nobody
//! else. Tokens are believed when the GitHub of the tests signed them, and they are still good.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use tokio::runtime::Runtime;

use crate::github::GitHub;

const AUDIENCE: &str = "sts.amazonaws.com";

/// A running service. It stops when it is dropped.
pub(crate) struct Sts {
    pub(crate) url: String,
    service: Arc<Service>,
    _runtime: Runtime,
}

/// A role that was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Given {
    pub(crate) role: String,
    pub(crate) session: String,
}

#[derive(Default)]
struct Service {
    /// ARN of a role, and the subject that it trusts.
    trust: Vec<(String, String)>,
    given: Mutex<Vec<Given>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Question {
    action: String,
    role_arn: Option<String>,
    role_session_name: Option<String>,
    web_identity_token: Option<String>,
}

impl Sts {
    /// Where these subjects may have these roles.
    pub(crate) fn trusting(trust: &[(&str, &str)]) -> Self {
        let trust = trust.iter().map(|(role, subject)| ((*role).to_owned(), (*subject).to_owned())).collect();
        let service = Arc::new(Service { trust, ..Service::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(service.clone());
        let runtime = Runtime::new().unwrap();
        runtime.spawn(async move {
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        });
        Self { url, service, _runtime: runtime }
    }

    /// The roles that were given so far, each once.
    pub(crate) fn given(&self) -> Vec<Given> {
        let mut given = self.service.given.lock().unwrap_or_else(PoisonError::into_inner).clone();
        given.sort();
        given.dedup();
        given
    }
}

async fn answer(State(service): State<Arc<Service>>, form: String) -> (StatusCode, String) {
    let Query(question) = Query::<Question>::try_from_uri(&format!("/?{form}").parse().unwrap()).unwrap();
    let answered = match question.action.as_str() {
        "AssumeRoleWithWebIdentity" => service.assume(&question),
        "GetCallerIdentity" => {
            Ok("<Arn>arn:aws:sts::123456789012:assumed-role/any/any</Arn><UserId>A:b</UserId><Account>123456789012</Account>"
                .to_owned())
        }
        other => Err(("InvalidAction", format!("could not find operation {other}"))),
    };
    match answered {
        Ok(result) => {
            let action = &question.action;
            (StatusCode::OK, format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"))
        }
        Err((code, message)) => {
            let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
            (StatusCode::FORBIDDEN, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
        }
    }
}

impl Service {
    fn assume(&self, question: &Question) -> Result<String, (&'static str, String)> {
        let (Some(role), Some(session), Some(token)) =
            (&question.role_arn, &question.role_session_name, &question.web_identity_token)
        else {
            return Err(("ValidationError", "a parameter is missing".to_owned()));
        };
        let claims = GitHub::claims(token).ok_or(("InvalidIdentityToken", "couldn't verify the token".to_owned()))?;
        if claims["aud"] != AUDIENCE {
            return Err(("InvalidIdentityToken", "Incorrect token audience".to_owned()));
        }
        if claims["exp"].as_i64() < Some(chrono::Utc::now().timestamp()) {
            return Err(("ExpiredTokenException", "Token expired".to_owned()));
        }
        if !self.trust.iter().any(|(trusting, subject)| trusting == role && claims["sub"] == *subject) {
            return Err(("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned()));
        }
        let given = Given { role: role.clone(), session: session.clone() };
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(given);
        let assumed = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
        Ok(format!(
            "<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>key-of-the-role</SecretAccessKey>\
             <SessionToken>session-of-the-role</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>\
             <AssumedRoleUser><AssumedRoleId>A:{session}</AssumedRoleId><Arn>{assumed}/{session}</Arn></AssumedRoleUser>"
        ))
    }
}
