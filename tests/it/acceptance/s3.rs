//! States in S3, locked by S3 itself.

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
    moto.request("PUT", &lock, r#"{"ID":"0a1b","Who":"ana@laptop"}"#).unwrap();
    organization.is_refused_while_locked().says("the state lock `0a1b` is held by ana@laptop");
    moto.request("DELETE", &lock, "").unwrap();
    organization.deploy("data");
}
