//! What the program asks of GitHub is what GitHub's own description says.

use tieline::context::create::start_branches;
use tieline::context::github::GitHubStore;
use tieline::context::{Branch, Change, Changes, ContextStore as _, RefNames};
use tieline::domain::address::Place;
use tieline::github::check::{CheckRunConclusion, CheckRunOutputAnnotation, CheckRunOutputAnnotationLevel};
use tieline::github::deployment::{State, Status, Subject};
use tieline::github::{Client, Identity, Repository, Server, check, comment, deployment, pull, standing};
use tieline::secrets::Secret;
use tieline::world::os;

use crate::acceptance::need;
use crate::github::GitHub;

#[tokio::test(flavor = "multi_thread")]
async fn acceptance_openapi_a_context_is_kept_as_described() {
    let Some(github) = need("openapi", GitHub::validated()) else { return };
    let hosted = github.repository("acme/context");
    let context = Repository { owner: "acme".into(), name: "context".into() };
    let app = github.install_app(&["acme/context"], &["contents=write"]);
    let identity = Identity::App { id: app.id, key: Secret::new(app.key), repository: context.clone() };
    let world = os::world().unwrap();
    let client = Client::new(&world, &Server::at(Some(&github.url()), None), identity);
    let store = GitHubStore::open(&world, client, &context, RefNames::default()).unwrap();

    start_branches(&store).await.unwrap();
    let head = store.head(Branch::Ledger).await.unwrap();
    let written = Changes::from([("a/b.json".into(), Change::write("1")), ("a/c.json".into(), Change::write([0xff]))]);
    let head = store.commit(Branch::Ledger, &written, head.as_ref(), "two files").await.unwrap();
    let removed = Changes::from([("a/c.json".into(), Change::Remove), ("d.json".into(), Change::write("2"))]);
    store.commit(Branch::Ledger, &removed, Some(&head), "one more, one less").await.unwrap();
    store.commit(Branch::Ledger, &removed, Some(&head), "too late").await.unwrap_err();
    let all = store.list(&head, &[String::new()]).await.unwrap();
    assert_eq!(all[""].iter().filter(|file| file.path.starts_with("a/")).count(), 2);
    assert_eq!(store.read(&head, &["a/c.json".into()]).await.unwrap()["a/c.json"], [0xff]);

    let place: Place =
        serde_json::from_value(serde_json::json!({"workspace": "retail", "environment": "staging", "deployable": "shop"}))
            .unwrap();
    let taken = store.write_claim(&place, b"one", None).await.unwrap();
    store.write_claim(&place, b"two", None).await.unwrap_err();
    let moved = store.write_claim(&place, b"three", Some(&taken)).await.unwrap();
    assert_eq!(store.read_claim(&place).await.unwrap(), Some((moved.clone(), b"three".to_vec())));
    assert_eq!(store.claims().await.unwrap().len(), 1);
    store.delete_claim(&place, &moved).await.unwrap();
    assert_eq!(hosted.references(), ["refs/heads/ledger", "refs/heads/main"]);
    assert_eq!(hosted.file("ledger", "d.json").as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn acceptance_openapi_a_change_of_the_documents_is_proposed_as_described() {
    let Some(github) = need("openapi", GitHub::validated()) else { return };
    let hosted = github.repository("acme/context");
    let context = Repository { owner: "acme".into(), name: "context".into() };
    let token = github.token(&[("acme/context", &["contents=write", "pull_requests=write"])]);
    let client = Client::new(&os::world().unwrap(), &Server::at(Some(&github.url()), None), Identity::Token(Secret::new(token)));
    let store = GitHubStore::open(&os::world().unwrap(), client.clone(), &context, RefNames::default()).unwrap();
    start_branches(&store).await.unwrap();
    let head = store.head(Branch::Documents).await.unwrap().unwrap();

    assert_eq!(pull::find(&client, &context, "main", "tieline/").await.unwrap(), None);
    let changes = Changes::from([("a.yaml".into(), Change::write("1"))]);
    store.propose("tieline/a", &changes, &head, "add a").await.unwrap();
    store.propose("tieline/a", &changes, &head, "add a").await.unwrap();
    let other = Changes::from([("a.yaml".into(), Change::write("2"))]);
    store.propose("tieline/a", &other, &head, "add a").await.unwrap_err();
    let proposed =
        pull::Proposed { title: "Add a".into(), body: "It adds a.".into(), head: "tieline/a".into(), base: "main".into() };
    let url = pull::open(&client, &context, &proposed).await.unwrap();
    assert_eq!(pull::find(&client, &context, "main", "tieline/").await.unwrap(), Some(url));
    assert_eq!(hosted.pulls(), [("Add a".to_owned(), "tieline/a".to_owned(), "It adds a.".to_owned())]);
    assert!(client.id_of(&context).await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn acceptance_openapi_a_run_is_shown_as_described() {
    let Some(github) = need("openapi", GitHub::validated()) else { return };
    let hosted = github.repository("acme/shop");
    let head = hosted.commit("main", &[("tieline.yaml", "")]);
    let pull = hosted.open_pull("main", "A change");
    let token = github.token(&[("acme/shop", &["checks=write", "deployments=write", "pull_requests=write"])]);
    let server = Server::at(Some(&github.url()), None);
    let client = Client::new(&os::world().unwrap(), &server, Identity::Token(Secret::new(token)));
    let shop = Repository { owner: "acme".into(), name: "shop".into() };

    for text in ["one", "two"] {
        comment::upsert(&client, &shop, pull, "retail/staging/shop", text).await.unwrap();
    }
    let subject = Subject { reference: head.clone(), environment: "staging".into(), ..Subject::default() };
    let made = deployment::create(&client, &shop, &subject).await.unwrap();
    for (state, environment_url) in [(State::InProgress, None), (State::Success, Some("https://shop.acme.test".to_owned()))] {
        let log_url = Some("https://github.com/acme/shop/actions/runs/1".to_owned());
        made.set(&client, &Status { state, description: "shop".into(), log_url, environment_url }).await.unwrap();
    }
    let annotation = |line| CheckRunOutputAnnotation {
        path: "tieline.yaml".into(),
        start_line: line,
        end_line: line,
        start_column: None,
        end_column: None,
        annotation_level: CheckRunOutputAnnotationLevel::Failure,
        message: "wrong".into(),
        title: Some("shop".into()),
        raw_details: None,
    };
    let made = check::create(&client, &shop, "Tieline: shop", &head, None).await.unwrap();
    let annotations = (1..=51).map(annotation).collect();
    made.complete(&client, CheckRunConclusion::Failure, "1 failed", "all of it", annotations).await.unwrap();
    assert_eq!(hosted.comments(pull).len(), 1);
    assert_eq!(hosted.deployments()[0].1.len(), 2);
    assert_eq!(hosted.checks()[0].1.len(), 51);
}

#[tokio::test(flavor = "multi_thread")]
async fn acceptance_openapi_how_pull_requests_stand_is_asked_as_described() {
    let Some(github) = need("openapi", GitHub::validated()) else { return };
    let hosted = github.repository("acme/shop");
    let head = hosted.commit("main", &[("a", "1")]);
    let numbers: Vec<u64> = (0..3).map(|_| hosted.open_pull("main", "A change")).collect();
    hosted.label_pull(numbers[0], "tieline-keep-3d");
    hosted.merge_pull(numbers[1]);
    hosted.fork_pull(numbers[2]);
    hosted.comment_as(numbers[0], "ana", "CONTRIBUTOR", "/tieline down");
    hosted.comment(numbers[0], "bob", "/tieline keep 3d");
    hosted.comment(numbers[0], "rob", "/tieline keep 9d");
    hosted.only_reads("rob");
    let token = github.token(&[("acme/shop", &["pull_requests=read"])]);
    let client = Client::new(&os::world().unwrap(), &Server::at(Some(&github.url()), None), Identity::Token(Secret::new(token)));

    let shop = standing::repository(&client, hosted.id()).await.unwrap().unwrap();
    assert_eq!(shop.to_string(), "acme/shop");
    let open = standing::open(&client, &shop).await.unwrap();
    assert_eq!(open.keys().copied().collect::<Vec<_>>(), [numbers[0], numbers[2]]);
    assert_eq!((&open[&numbers[0]].labels[..], &open[&numbers[0]].head), (&["tieline-keep-3d".to_owned()][..], &head));
    assert!(open[&numbers[2]].from_fork && !open[&numbers[0]].from_fork);
    let merged = standing::of(&client, &shop, numbers[1]).await.unwrap().unwrap();
    assert!(!merged.is_open && merged.is_merged);
    assert_eq!(standing::of(&client, &shop, 99).await.unwrap(), None);
    let said = standing::said(&client, &shop, numbers[0], chrono::DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(
        said.iter().map(|said| (said.text.as_str(), said.by_member)).collect::<Vec<_>>(),
        [("/tieline down", false), ("/tieline keep 3d", true), ("/tieline keep 9d", false)]
    );
}
