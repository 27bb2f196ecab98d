//! Tokens of an app, and those of the workflow's own identity.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::domain::failure::FailureReason;

/// A key made for these tests, of 2048 bits.
const PKCS1: &str = include_str!("app-key.pkcs1.pem");
const PKCS8: &str = include_str!("app-key.pkcs8.pem");

fn app(key: &str) -> Identity {
    Identity::App { id: "4711".into(), key: Secret::new(key), repository: repository() }
}

impl Bench {
    fn mints(&self, token: &str, minutes: i64) -> &Self {
        let until = (START + chrono::TimeDelta::minutes(minutes)).to_rfc3339();
        let permissions = json!({"contents": "write", "administration": "write"});
        self.answers(200, &[], &json!({"id": 7, "permissions": permissions}));
        self.answers(201, &[], &json!({"token": token, "expires_at": until}))
    }
}

#[tokio::test]
async fn an_apps_token_is_minted_when_it_is_needed_and_only_for_its_repository() {
    for key in [PKCS1, PKCS8] {
        let bench = Bench::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let learnt = seen.clone();
        let client = bench.client_of(app(key)).learning(move |secret| learnt.lock().unwrap().push(secret.expose().to_owned()));
        assert!(bench.asked().is_empty());
        bench.mints("ghs_minted", 60).answers(200, &[], &json!(1)).answers(200, &[], &json!(2));
        assert_eq!((client.get("/x").await, client.get("/y").await), (Ok(1), Ok(2)));
        let asked = bench.asked();
        assert_eq!(asked.len(), 4);
        assert_eq!(asked[0], "GET https://ghes.test/api/v3/repos/acme/shop/installation");
        assert_eq!(asked[1], "POST https://ghes.test/api/v3/app/installations/7/access_tokens");
        assert_eq!(bench.body(1), json!({"repositories": ["shop"], "permissions": {"contents": "write"}}));
        let proof = bench.header(0, "authorization").strip_prefix("Bearer ").unwrap().to_owned();
        assert_eq!(*seen.lock().unwrap(), [proof.clone(), "ghs_minted".to_owned()]);
        assert_eq!(
            (bench.header(2, "authorization"), bench.header(3, "authorization")),
            ("Bearer ghs_minted".into(), "Bearer ghs_minted".into())
        );
        assert_eq!(client.writes(), 0, "a token is no write");
        assert_signed(&proof);
    }
}

fn assert_signed(proof: &str) {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
    use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(PKCS8.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap()).unwrap();
    let now = START.timestamp();
    assert_eq!(claims, json!({"iss": "4711", "iat": now - 60, "exp": now + 540}));
}

#[tokio::test]
async fn a_token_with_less_than_five_minutes_left_is_minted_anew() {
    let bench = Bench::new();
    bench.mints("one", 4).answers(200, &[], &json!(1)).mints("two", 60).answers(200, &[], &json!(2));
    let client = bench.client_of(app(PKCS8));
    assert_eq!((client.get("/x").await, client.get("/y").await), (Ok(1), Ok(2)));
    assert_eq!(bench.header(5, "authorization"), "Bearer two");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_minted_anew_once() {
    let bench = Bench::new();
    let refused = json!({"message": "Bad credentials"});
    bench.mints("one", 60).answers(401, &[], &refused).mints("two", 60).answers(200, &[], &json!(1));
    let client = bench.client_of(app(PKCS8));
    assert_eq!(client.get("/x").await, Ok(1));
    bench.answers(401, &[], &refused).mints("three", 60).answers(401, &[], &refused);
    let problem = client.get::<u8>("/repos/acme/shop").await.unwrap_err();
    assert_eq!(bench.asked().len(), 10);
    assert_eq!(problem.diagnostic(FailureReason::Internal).reason, FailureReason::PermissionDenied);
}

#[tokio::test]
async fn an_app_that_cannot_sign_in_says_why_and_keeps_its_key() {
    let bench = Bench::new();
    bench.answers(404, &[], &json!({"message": "Not Found"}));
    let problem = bench.client_of(app(PKCS8)).get::<u8>("/x").await.unwrap_err();
    let diagnostic = problem.diagnostic(FailureReason::Internal);
    assert!(diagnostic.notes[0].ends_with("the GitHub App `4711` is not installed on `acme/shop`"), "{diagnostic:?}");
    assert!(diagnostic.help[1].contains("install it on the repository"));
    for (key, why) in [("hunter2", "it is not PEM"), (PKCS8_EC, "it is not an RSA key")] {
        let said = bench.client_of(app(key)).get::<u8>("/x").await.unwrap_err().to_string();
        assert!(said.contains("its private key cannot be used"), "{said}");
        assert!(said.contains(why) || key == PKCS8_EC, "{said}");
        assert!(!said.contains("hunter2"));
    }
}

const PKCS8_EC: &str = include_str!("not-rsa.pem");

#[tokio::test]
async fn an_identity_token_is_asked_for_with_its_audience() {
    let bench = Bench::new();
    let url = "https://tokens.test/a/b?api-version=2.0";
    let tokens = IdentityTokens::new(&bench.world, Some(url), Some("asking")).unwrap();
    bench.answers(200, &[], &json!({"value": "a.b.c"}));
    assert_eq!(tokens.token("sts.amazonaws.com/x").await.unwrap().expose(), "a.b.c");
    assert_eq!(bench.asked(), ["GET https://tokens.test/a/b?api-version=2.0&audience=sts.amazonaws.com%2Fx"]);
    assert_eq!(bench.header(0, "authorization"), "Bearer asking");
    assert_eq!(bench.header(0, "accept"), "application/json");
}

#[tokio::test]
async fn a_job_without_identity_tokens_is_told_which_permission_it_lacks() {
    let bench = Bench::new();
    let problem = IdentityTokens::new(&bench.world, None, None).err().unwrap();
    assert_eq!(problem.reason, FailureReason::PermissionDenied);
    assert_eq!(problem.message, "the workflow's job may not have an identity token: it lacks `id-token: write`");
    assert_eq!(problem.help[0], "add `id-token: write` to `permissions:` of the workflow's job");
}
