//! What is found in a ledger that does not agree with itself.

use tieline::context::verify::{LedgerFiles, verify};

use super::records;

fn found(files: &LedgerFiles) -> Vec<String> {
    verify(files).into_iter().map(|finding| format!("{}: {}", finding.path, finding.message)).collect()
}

#[test]
fn a_ledger_that_agrees_with_itself_has_no_findings() {
    assert_eq!(found(&records::ledger()), Vec::<String>::new());
}

#[test]
fn r16_every_record_needs_its_counterparts() {
    let mut files = records::ledger();
    files.plugins.clear();
    files.records.remove("platform/staging/network/applied/vpc.json");
    files.records.remove("platform/staging/network/consumers/vpc.vpc/retail~staging~shop~api.network.json");
    insta::assert_snapshot!(found(&files).join("\n"), @"
    platform/staging/network/connections/vpc.vpc.json: its producer `platform/staging/network/applied/vpc.json` is missing: unless that was destroyed, its infrastructure is still there
    retail/staging/shop/applied/api.json: slot `network` is bound to `platform/staging/network/vpc.vpc`, but `platform/staging/network/consumers/vpc.vpc/retail~staging~shop~api.network.json` is missing
    retail/staging/shop/applied/api.json: the plugin's tree `plugins/bc1de45bfa4006cb1695e194d9bdf6532af14e323de66a5bd13b146184b15d30` is not stored
    ");
}

#[test]
fn a_consumer_without_its_binding_is_found() {
    let mut files = records::ledger();
    files.records.remove("retail/staging/shop/applied/api.json");
    insta::assert_snapshot!(found(&files).join("\n"), @"platform/staging/network/consumers/vpc.vpc/retail~staging~shop~api.network.json: `retail/staging/shop/applied/api.json` does not bind `api.network` to it");
}

#[test]
fn r41_what_was_changed_by_hand_is_found() {
    let mut files = records::ledger();
    let path = "platform/staging/network/connections/vpc.vpc.json";
    let forged = String::from_utf8(files.records[path].clone()).unwrap().replace("vpc-1", "vpc-2");
    files.records.insert(path.to_owned(), forged.clone().into_bytes());
    files.records.insert(path.replace("vpc.vpc", "vpc.other"), forged.into_bytes());
    files.records.insert("notes.txt".to_owned(), b"hello".to_vec());
    files.records.insert("retail/staging/shop/runs/01.json".to_owned(), b"{".to_vec());
    insta::assert_snapshot!(found(&files).join("\n"), @"
    notes.txt: no run writes a file here
    platform/staging/network/connections/vpc.other.json: `address` is `platform/staging/network/vpc.vpc`, it should be `platform/staging/network/vpc.other`
    platform/staging/network/connections/vpc.other.json: `digest` is `a07e9593c84bbda272f0ce88fd47dc422eab9a839ae04b4da2cab602b048605d`, it should be `4368b8bdfa84e846e9a5f7e0c3dc48f4580ae0d6719df20b6fd156e88059ad73`
    platform/staging/network/connections/vpc.vpc.json: `digest` is `a07e9593c84bbda272f0ce88fd47dc422eab9a839ae04b4da2cab602b048605d`, it should be `4368b8bdfa84e846e9a5f7e0c3dc48f4580ae0d6719df20b6fd156e88059ad73`
    retail/staging/shop/runs/01.json: cannot be read: EOF while parsing an object at line 1 column 1
    ");
}
