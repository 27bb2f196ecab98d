//! States in S3, locked by S3 itself.

use chrono::TimeDelta;

use crate::cloud::sts::Sts;
use crate::cloud::{ROLE, SUBJECT, identity_of_a_job};
use crate::github::GitHub;

use super::hand_over::HandOver;
use super::moto::{self, Moto};
use super::need;

const BUCKET: &str = "states";
const BACKEND: &str = "{type: s3, config: {bucket: states, region: sa-east-1, use_lockfile: true}}";

fn organization(moto: &Moto) -> HandOver {
    moto.make_bucket(BUCKET);
    let url = moto.url();
    HandOver::new(BACKEND, &moto::variables(&url))
}

#[test]
fn acceptance_s3_a_secret_is_handed_over_through_the_producers_state() {
    let Some(moto) = need("s3", Moto::start()) else { return };
    organization(&moto).proves(&[moto::SECRET_KEY]);
    let log = moto.log();
    for state in ["platform/staging/data/database", "retail/staging/shop/api"] {
        for request in [format!("PUT /{BUCKET}/{state}.tflock"), format!("DELETE /{BUCKET}/{state}.tflock")] {
            assert!(log.contains(&request), "no `{request}` in {log}");
        }
    }
}

#[test]
fn acceptance_s3_a_state_that_is_locked_is_left_alone() {
    let Some(moto) = need("s3", Moto::start()) else { return };
    let organization = organization(&moto);
    let lock = format!("/{BUCKET}/platform/staging/data/database.tflock");
    moto.s3("PUT", &lock, r#"{"ID":"0a1b","Who":"ana@laptop"}"#);
    organization.is_refused_while_locked().says("the state lock `0a1b` is held by ana@laptop");
    moto.s3("DELETE", &lock, "");
    organization.deploy("data");
}

#[test]
fn acceptance_s3_states_are_reached_with_a_role_of_their_own() {
    const STATES: &str = "arn:aws:iam::999988887777:role/states";
    let Some(moto) = need("s3", Moto::start()) else { return };
    moto.make_bucket(BUCKET);
    let (github, url) = (GitHub::start(), moto.url());
    let sts = Sts::trusting(&[(ROLE, SUBJECT), (STATES, SUBJECT)]);
    let account = format!("{{provider: aws, id: '123456789012', region: sa-east-1, role: '{ROLE}', state-role: '{STATES}'}}");
    let job = identity_of_a_job(&github, &sts, TimeDelta::minutes(5));
    let job = job.iter().map(|(name, value)| (*name, value.as_str()));
    let variables: Vec<_> = moto::variables(&url).into_iter().chain(job).collect();
    HandOver::new(&format!("{BACKEND}\naccount: {account}"), &variables).proves(&["key-of-the-role", "eyJ"]);
    let mut sessions: Vec<_> = sts.given().into_iter().filter(|given| given.role == STATES).map(|given| given.session).collect();
    sessions.retain(|session| !session.ends_with("-check"));
    assert_eq!(sessions, ["tieline-data-database", "tieline-shop-api"]);
}
