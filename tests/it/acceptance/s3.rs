//! States in S3, locked by S3 itself.

use super::hand_over::HandOver;
use super::moto::{Moto, SECRET_KEY};
use super::need;
use super::request::request;

const BUCKET: &str = "states";
const BACKEND: &str = "{type: s3, config: {bucket: states, region: sa-east-1, use_lockfile: true, use_path_style: true}}";

fn organization(moto: &Moto) -> HandOver {
    moto.make_bucket(BUCKET);
    moto.variables().into_iter().fold(HandOver::new(BACKEND), |project, (name, value)| project.variable(name, &value))
}

#[test]
fn acceptance_s3_a_secret_is_handed_over_through_the_producers_state() {
    let Some(moto) = need("s3", Moto::start()) else { return };
    organization(&moto).proves(&[SECRET_KEY]);
    let log = moto.log();
    for state in ["platform/staging/data/database", "retail/staging/shop/api"] {
        for request in [
            format!("PUT /{BUCKET}/{state}.tflock"),
            format!("PUT /{BUCKET}/{state}"),
            format!("DELETE /{BUCKET}/{state}.tflock"),
        ] {
            assert!(log.contains(&request), "no `{request}` in {log}");
        }
    }
}

#[test]
fn acceptance_s3_a_state_that_is_locked_is_left_alone() {
    let Some(moto) = need("s3", Moto::start()) else { return };
    let organization = organization(&moto);
    organization.init();
    let lock = r#"{"ID":"0a1b","Operation":"OperationTypeApply","Info":"","Who":"ana@laptop","Version":"1.11.4","Created":"2026-01-02T03:04:05Z","Path":"p"}"#;
    let path = format!("/{BUCKET}/platform/staging/data/database.tflock");
    assert_eq!(request(moto.server.port, "PUT", &path, lock).unwrap().0, 200);
    organization.is_refused_while_locked("ana@laptop");
    assert_eq!(request(moto.server.port, "DELETE", &path, "").unwrap().0, 204);
    organization.deploy("data");
}
