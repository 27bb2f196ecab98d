//! What a run writes: comment, deployment, check.

use octocrab::params::checks::{CheckRunConclusion, CheckRunOutputAnnotation, CheckRunOutputAnnotationLevel};

use super::deployment::{State, Status, Subject};
use super::*;

const PLACE: &str = "payments/production/shop";

fn comment(id: u64, body: &str, kind: &str, association: &str) -> Value {
    let address = format!("https://ghes.test/c/{id}");
    json!({"id": id, "html_url": address, "body": body, "user": {"type": kind}, "author_association": association})
}

async fn upserted(bench: &Bench, text: &str) -> String {
    comment::upsert(&bench.client(), &repository(), 3, PLACE, text).await.unwrap()
}

#[tokio::test]
async fn the_first_comment_is_created_and_the_next_one_updates_it() {
    let bench = Bench::new();
    let marked = format!("<!-- tieline: {PLACE} -->\none");
    let other = comment(1, "quoted: <!-- tieline: payments/production/shop -->\n", "User", "OWNER");
    let ours = comment(2, &marked, "Bot", "NONE");
    bench.answers(200, &[], &json!([other])).answers(201, &[], &ours);
    assert_eq!(upserted(&bench, "one").await, "https://ghes.test/c/2");
    assert_eq!(bench.body(1), json!({ "body": marked }));
    bench.answers(200, &[], &json!([other, ours])).answers(200, &[], &ours);
    upserted(&bench, "two").await;
    // Nothing is written where nothing changes.
    bench.answers(200, &[], &json!([comment(2, &marked.replace('\n', "\r\n"), "Bot", "NONE")]));
    upserted(&bench, "one").await;
    assert_eq!(
        bench.asked(),
        [
            "GET https://ghes.test/api/v3/repos/acme/shop/issues/3/comments?per_page=100&page=1",
            "POST https://ghes.test/api/v3/repos/acme/shop/issues/3/comments",
            "GET https://ghes.test/api/v3/repos/acme/shop/issues/3/comments?per_page=100&page=1",
            "PATCH https://ghes.test/api/v3/repos/acme/shop/issues/comments/2",
            "GET https://ghes.test/api/v3/repos/acme/shop/issues/3/comments?per_page=100&page=1",
        ]
    );
}

#[tokio::test]
async fn a_comment_is_found_on_a_later_page_and_a_strangers_is_not_taken() {
    let bench = Bench::new();
    let marker = format!("<!-- tieline: {PLACE} -->\n");
    let page: Vec<Value> = (0..100).map(|id| comment(id, &marker, "User", "CONTRIBUTOR")).collect();
    let elsewhere = comment(200, "<!-- tieline: payments/production/shop2 -->\n", "Bot", "NONE");
    let ours = comment(201, &marker, "User", "MEMBER");
    bench.answers(200, &[], &json!(page)).answers(200, &[], &json!([elsewhere, ours])).answers(200, &[], &ours);
    upserted(&bench, "x").await;
    assert!(bench.asked()[2].ends_with("PATCH https://ghes.test/api/v3/repos/acme/shop/issues/comments/201"));
}

#[tokio::test]
async fn a_comment_fits() {
    let bench = Bench::new();
    bench.answers(200, &[], &json!([])).answers(201, &[], &comment(1, "", "Bot", "NONE"));
    upserted(&bench, &"a line\n".repeat(20_000)).await;
    let body = bench.body(1)["body"].as_str().unwrap().to_owned();
    assert!(body.chars().count() <= 65_536 && body.chars().count() > 65_000);
    assert!(body.ends_with("a line\n(cut: it was too long)\n"));
}

#[tokio::test]
async fn a_deployment_follows_the_run() {
    let bench = Bench::new();
    let client = bench.client();
    let subject = Subject {
        reference: "abc".into(),
        environment: "production".into(),
        description: "é".repeat(200),
        transient: false,
        production: true,
    };
    bench.answers(201, &[], &json!({"id": 9})).answers(201, &[], &json!({"id": 1})).answers(201, &[], &json!({"id": 2}));
    let made = deployment::create(&client, &repository(), &subject).await.unwrap();
    let status = |state| Status { state, description: "x".into(), log_url: Some("https://log".into()), environment_url: None };
    made.set(&client, &status(State::InProgress)).await.unwrap();
    made.set(&client, &status(State::Success)).await.unwrap();
    let create = bench.body(0);
    assert_eq!(create["description"].as_str().unwrap().chars().count(), 140);
    assert_eq!((&create["auto_merge"], &create["required_contexts"]), (&json!(false), &json!([])));
    assert_eq!((&create["production_environment"], &create["transient_environment"]), (&json!(true), &json!(false)));
    assert_eq!(bench.body(1), json!({"state": "in_progress", "description": "x", "log_url": "https://log"}));
    assert_eq!(bench.body(2)["state"], "success");
    assert_eq!(bench.asked()[2], "POST https://ghes.test/api/v3/repos/acme/shop/deployments/9/statuses");
    assert_eq!(client.writes(), 3);
}

#[tokio::test]
async fn a_check_takes_fifty_annotations_at_a_time() {
    let bench = Bench::new();
    let client = bench.client();
    for _ in 0..3 {
        bench.answers(200, &[], &json!({"id": 5}));
    }
    let check = check::create(&client, &repository(), "Tieline: shop", "abc", Some("https://log")).await.unwrap();
    let annotations = (1..=60).map(|line| CheckRunOutputAnnotation {
        path: "tieline.yaml".into(),
        start_line: line,
        end_line: line,
        start_column: None,
        end_column: None,
        annotation_level: CheckRunOutputAnnotationLevel::Failure,
        message: "wrong".into(),
        title: None,
        raw_details: None,
    });
    let text = "x".repeat(70_000);
    check.complete(&client, CheckRunConclusion::Failure, "1 failed", &text, annotations.collect()).await.unwrap();
    assert_eq!(bench.asked()[1], "PATCH https://ghes.test/api/v3/repos/acme/shop/check-runs/5");
    let counts = [1, 2].map(|index| bench.body(index)["output"]["annotations"].as_array().unwrap().len());
    assert_eq!(counts, [50, 10]);
    assert_eq!((bench.body(1).get("status"), &bench.body(2)["conclusion"]), (None, &json!("failure")));
    assert_eq!(bench.body(2)["output"]["summary"].as_str().unwrap().len(), 65_535);
}

#[tokio::test]
async fn an_open_pull_request_of_ours_is_found_and_a_forks_is_not() {
    let bench = Bench::new();
    let pull = |branch: &str, from: Value| json!({"html_url": format!("https://ghes.test/{branch}"), "head": {"ref": branch, "repo": from}});
    let ours = pull("tieline/grant-1", json!({"full_name": "Acme/shop"}));
    let others = [pull("tieline/grant-0", json!({"full_name": "mallory/shop"})), pull("tieline/grant-2", Value::Null)];
    bench.answers(200, &[], &json!([others[0], others[1], ours]));
    let found = pull::find(&bench.client(), &repository(), "main", "tieline/grant-").await.unwrap();
    assert_eq!(found.as_deref(), Some("https://ghes.test/tieline/grant-1"));
    assert_eq!(bench.asked(), ["GET https://ghes.test/api/v3/repos/acme/shop/pulls?state=open&base=main&per_page=100&page=1"]);
}
