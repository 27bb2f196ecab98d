//! What is asked, what is asked again, and what is said when it does not help.

use http::Method;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;

/// What people read.
fn shown(problem: &ApiError) -> String {
    let Diagnostic { reason, message, notes, help, .. } = problem.diagnostic(FailureReason::ContextUnavailable);
    let lines = notes.iter().map(|note| format!("= {note}")).chain(help.iter().map(|help| format!("> {help}")));
    std::iter::once(format!("[{reason}] {message}")).chain(lines).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_request_goes_to_the_servers_own_address_with_its_token_and_version() {
    let bench = Bench::new();
    bench.answers(200, &[], &json!({"id": 1}));
    let answer: Value = bench.client().get("/repos/acme/shop/issues?page=2").await.unwrap();
    assert_eq!(answer, json!({"id": 1}));
    assert_eq!(bench.asked(), ["GET https://ghes.test/api/v3/repos/acme/shop/issues?page=2"]);
    assert_eq!(bench.header(0, "authorization"), "Bearer ghs_token");
    assert_eq!(bench.header(0, "x-github-api-version"), "2022-11-28");
    assert_eq!(bench.header(0, "accept"), "application/vnd.github+json");
    assert!(bench.header(0, "user-agent").starts_with("tieline/"));
}

#[tokio::test]
async fn a_read_is_tried_again_on_what_passes() {
    let bench = Bench::new();
    bench.answers(502, &[], &json!(null)).fails(true).answers(200, &[], &json!(7));
    assert_eq!(bench.client().get::<u8>("/x").await, Ok(7));
    assert_eq!(bench.asked().len(), 3);
    assert_eq!(bench.client().writes(), 0);
}

#[tokio::test]
async fn a_write_is_repeated_only_where_it_surely_was_not_carried_out() {
    for (again, arrived) in [(true, false), (false, true)] {
        let bench = Bench::new();
        bench.fails(arrived);
        if again {
            bench.answers(201, &[], &json!(7));
        }
        let client = bench.client();
        let sent = client.send::<u8>(Method::POST, "/repos/acme/shop/git/refs", &json!({"ref": "x"})).await;
        assert_eq!(sent.is_ok(), again, "{sent:?}");
        assert_eq!(bench.asked().len(), if again { 2 } else { 1 });
        assert_eq!(client.writes(), 1);
    }
    let bench = Bench::new();
    bench.answers(500, &[], &json!({"message": "oops"}));
    let problem = bench.client().delete("/repos/acme/shop/git/refs/x").await.unwrap_err();
    assert_eq!(bench.asked().len(), 1);
    insta::assert_snapshot!(shown(&problem), @"
    [context-unavailable] GitHub is not available: the server answers 500 Internal Server Error: oops
    = the call was `DELETE /repos/acme/shop/git/refs/x`
    > check the network and the server's status, then run again
    ");
}

#[tokio::test]
async fn a_limit_is_waited_for_as_long_as_the_server_says() {
    let reset = (START.timestamp() + 90).to_string();
    for (status, headers, message, waits) in [
        (429, vec![("retry-after", "30")], "slow down", 30),
        (403, vec![("retry-after", "30")], "secondary", 30),
        (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())], "used up", 91),
        (403, vec![("x-ratelimit-remaining", "17")], "You have exceeded a secondary rate limit", 60),
        (429, vec![], "", 60),
    ] {
        let bench = Bench::new();
        bench.answers(status, &headers, &json!({"message": message})).answers(201, &[], &json!(7));
        // A write as well: it was refused, so nothing happened.
        assert_eq!(bench.client().send(Method::POST, "/x", &json!({})).await, Ok(7), "{message}");
        assert_eq!(bench.waited(), [waits], "{message}");
    }
}

#[tokio::test]
async fn a_limit_that_lasts_too_long_is_an_error() {
    let bench = Bench::new();
    bench.answers(429, &[("retry-after", "3600")], &json!({}));
    let problem = bench.client().get::<u8>("/repos/acme/shop").await.unwrap_err();
    assert_eq!(bench.waited(), [0_u64; 0]);
    assert_eq!(problem.to_string(), "`GET /repos/acme/shop` failed: GitHub's limit is reached, for 3600 s yet");
    let bench = Bench::new();
    for _ in 0..3 {
        bench.answers(429, &[("retry-after", "250")], &json!({}));
    }
    assert!(bench.client().get::<u8>("/x").await.is_err());
    assert_eq!(bench.waited(), [250, 250]);
}

#[tokio::test]
async fn a_cancelled_run_waits_for_no_limit() {
    let bench = Bench::new();
    bench.answers(429, &[("retry-after", "30")], &json!({}));
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(bench.client().cancelled_by(cancel).get::<u8>("/x").await.is_err());
    assert_eq!((bench.asked().len(), bench.waited().len()), (1, 0));
}

#[tokio::test]
async fn a_missing_permission_is_named_with_the_place_to_set_it() {
    let accepted = ("x-accepted-github-permissions", "issues=write; pull_requests=write");
    let asks = |identity: Identity| async {
        let bench = Bench::new();
        bench.answers(403, &[accepted], &json!({"message": "Resource not accessible by integration"}));
        let client = bench.client_of(identity);
        let sent = client.send::<u8>(Method::POST, "/repos/acme/shop/issues/1/comments", &json!({})).await;
        shown(&sent.unwrap_err())
    };
    insta::assert_snapshot!(asks(Identity::Token(Secret::new("ghs_x"))).await, @"
    [permission-denied] the token may not do this in `acme/shop`: it lacks `issues: write` or `pull-requests: write`
    = `POST /repos/acme/shop/issues/1/comments` was answered with: Resource not accessible by integration
    > add `issues: write` or `pull-requests: write` to `permissions:` of the workflow's job
    > a workflow's own token reaches no repository but its own: for another one give `app-id` and `app-private-key`, or a token
    ");
    let person = asks(Identity::Token(Secret::new("github_pat_x"))).await;
    assert!(person.ends_with(
        "> give the token `issues: write` or `pull-requests: write` and access to the repository, in its owner's settings"
    ));
    assert!(asks(Identity::Anonymous).await.contains("> give a token"));
}

#[tokio::test]
async fn what_is_not_found_may_be_out_of_sight() {
    let bench = Bench::new();
    bench.answers(404, &[], &json!({"message": "Not Found"})).answers(404, &[], &json!({"message": "Not Found"}));
    let client = bench.client();
    insta::assert_snapshot!(shown(&client.get::<u8>("/repos/acme/shop/git/ref/heads/x").await.unwrap_err()), @"
    [context-unavailable] `acme/shop` does not have it, or the token cannot see it
    = `GET /repos/acme/shop/git/ref/heads/x` was answered with 404, which says no more
    > check the name
    > add the permission to `permissions:` of the workflow's job
    > a workflow's own token reaches no repository but its own: for another one give `app-id` and `app-private-key`, or a token
    ");
    assert_eq!(client.find::<u8>("/x").await, Ok(None));
}

#[tokio::test]
async fn a_refusal_repeats_what_the_server_says() {
    let bench = Bench::new();
    let body = json!({"message": "Validation Failed", "errors": [{"code": "custom", "message": "No ref found for: x"}, "more"]});
    bench.answers(422, &[], &body);
    let problem = bench.client().send::<u8>(Method::POST, "/repos/acme/shop/deployments", &json!({})).await.unwrap_err();
    assert_eq!(
        problem,
        ApiError::Refused {
            call: "POST /repos/acme/shop/deployments".into(),
            status: 422,
            message: "Validation Failed; No ref found for: x; more".into()
        }
    );
}

#[derive(Debug, serde::Deserialize)]
#[expect(dead_code, reason = "only its form matters")]
struct Wanted {
    id: u64,
}

#[tokio::test]
async fn an_answer_of_another_form_says_what_is_wrong_with_it() {
    let bench = Bench::new();
    bench.answers(200, &[], &json!({"id": "x"}));
    let problem = bench.client().get::<Wanted>("/x").await.unwrap_err().to_string();
    assert!(problem.contains("the answer is not as expected: `id`: invalid type: string"), "{problem}");
}

#[test]
fn parts_of_a_route_are_encoded() {
    assert_eq!(part("a b/ü?x#%.-_~"), "a%20b%2F%C3%BC%3Fx%23%25.-_~");
}
