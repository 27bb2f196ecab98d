//! Changing a workspace's document: what is there stays, whatever it looks like.

use crate::documents::{Edit, edit_workspace, revoking, write_imported};
use crate::domain::organization::{Grant, Owner, Permission};

const HEAD: &str = "apiVersion: tieline/v1\nkind: Workspace\nname: platform\n";

fn new_grant() -> Edit {
    Edit::AddGrant(Grant {
        connection: "*/network/vpc.vpc".into(),
        to: vec!["retail/*/*".into()],
        allow: vec![Permission::Use],
        previews: false,
    })
}

fn new_owner(deployable: &str) -> Edit {
    Edit::SetOwner(deployable.parse().unwrap(), Owner { repository: "acme/new".into(), id: 9, former: Vec::new() })
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let changed = edit_workspace("workspaces/platform/workspace.yaml", text.as_bytes(), edits);
    String::from_utf8(changed.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))).unwrap()
}

/// What the text is below the first three lines, before and after.
fn below(rest: &str, edits: &[Edit]) -> String {
    let head = if rest.contains('\r') { HEAD.replace('\n', "\r\n") } else { HEAD.to_owned() };
    let text = edited(&format!("{head}{rest}"), edits);
    text.strip_prefix(&head).unwrap_or_else(|| panic!("{text}")).to_owned()
}

const ADDED: &str = "{connection: \"*/network/vpc.vpc\", to: [\"retail/*/*\"], allow: [use]}";

#[test]
fn r43_a_grant_is_added_and_every_comment_stays() {
    let before = "grants:  # ask the network team first\n  # for retail\n  - {connection: \"*/a/b.c\", to: [\"x/*/*\"], allow: [use]}  # since May\n\n  # the bus\n  - connection: \"*/bus/q.q\"\n    to: [\"retail/*/*\"]   # all\n    allow: [use, read-sensitive]\n\n# values of everybody\nvalues: {a: 1}\n";
    let after = below(before, &[new_grant()]);
    insta::assert_snapshot!(after, @r#"
    grants:  # ask the network team first
      # for retail
      - {connection: "*/a/b.c", to: ["x/*/*"], allow: [use]}  # since May

      # the bus
      - connection: "*/bus/q.q"
        to: ["retail/*/*"]   # all
        allow: [use, read-sensitive]
      - {connection: "*/network/vpc.vpc", to: ["retail/*/*"], allow: [use]}

    # values of everybody
    values: {a: 1}
    "#);
}

#[test]
fn r43_a_grant_is_added_to_any_layout() {
    for (before, after) in [
        ("", format!("grants:\n- {ADDED}\n")),
        ("grants: []\n", format!("grants: [{ADDED}]\n")),
        ("grants: [] # none\nvalues: {}\n", format!("grants: [{ADDED}] # none\nvalues: {{}}\n")),
        ("values: {a: b} # no end", format!("values: {{a: b}} # no end\ngrants:\n- {ADDED}")),
        (
            "grants: [{connection: '*/*/*', to: [a/b/c], allow: [use]}]\n",
            format!("grants: [{{connection: '*/*/*', to: [a/b/c], allow: [use]}}, {ADDED}]\n"),
        ),
        (
            "grants: &all\n- &one {connection: '*/*/*', to: &to [a/b/c], allow: [use]}\n- {connection: x/y/*, to: *to, allow: [use]}\n",
            format!(
                "grants: &all\n- &one {{connection: '*/*/*', to: &to [a/b/c], allow: [use]}}\n- {{connection: x/y/*, to: *to, allow: [use]}}\n- {ADDED}\n"
            ),
        ),
        (
            "grants:\r\n    -   connection: '*/*/*'\r\n        to: [a/b/c]\r\n        allow:\r\n        - use\r\nvalues: {}\r\n",
            format!(
                "grants:\r\n    -   connection: '*/*/*'\r\n        to: [a/b/c]\r\n        allow:\r\n        - use\r\n    - {ADDED}\r\nvalues: {{}}\r\n"
            ),
        ),
    ] {
        assert_eq!(below(before, &[new_grant()]), after);
    }
    let whole = "{apiVersion: tieline/v1, kind: Workspace, name: platform}";
    assert_eq!(edited(whole, &[new_grant()]), format!("{}, grants: [{ADDED}]}}", &whole[..whole.len() - 1]));
    let marked = format!("\u{feff}---\n{HEAD}...\n");
    assert_eq!(edited(&marked, &[new_grant()]), format!("\u{feff}---\n{HEAD}grants:\n- {ADDED}\n...\n"));
}

#[test]
fn r44_a_grant_is_taken_out_of_any_layout() {
    for (before, edit, after) in [
        (
            "grants:\n  # one\n  - {connection: a/b/*, to: [x/*/*], allow: [use]} # 1\n  # two\n  - {connection: c/d/*, to: [x/*/*], allow: [use]} # 2\n",
            Edit::RemoveGrant(1),
            "grants:\n  # one\n  - {connection: a/b/*, to: [x/*/*], allow: [use]} # 1\n  # two\n",
        ),
        (
            "grants: [{connection: a/b/*, to: [x/*/*], allow: [use]}] # 1\nvalues: {}\n",
            Edit::RemoveGrant(0),
            "grants: [] # 1\nvalues: {}\n",
        ),
        (
            "grants:\n- {connection: a/b/*, to: [x/*/*, 'y/*/*'], allow: [use]}\n",
            Edit::RemoveConsumer(0, "x/*/*".into()),
            "grants:\n- {connection: a/b/*, to: ['y/*/*'], allow: [use]}\n",
        ),
        (
            "grants:\n- connection: a/b/*\n  to: [x/*/*]\n  allow:\n  - use\n  - read-sensitive # since May\nvalues: {}\n",
            Edit::RemovePermission(0, Permission::ReadSensitive),
            "grants:\n- connection: a/b/*\n  to: [x/*/*]\n  allow:\n  - use\nvalues: {}\n",
        ),
    ] {
        assert_eq!(below(before, &[edit]), after);
    }
}

#[test]
fn r44_the_last_grant_of_a_list_leaves_an_empty_list() {
    let before = "grants:\n- connection: a/b/*\n  to: [x/*/*]\n  allow: [use]\nvalues: {} # none\n";
    assert_eq!(below(before, &[Edit::RemoveGrant(0)]), "grants: []\nvalues: {} # none\n");
}

fn revoked(grants: &str, to: &[&str], allow: &[Permission]) -> String {
    let text = format!("{HEAD}{grants}");
    let workspace = crate::documents::workspace("workspace.yaml", text.as_bytes()).unwrap();
    let to: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
    below(grants, &revoking(&workspace, "*/bus/q.q", &to, allow))
}

#[test]
fn r44_what_is_taken_back_is_what_was_asked_for() {
    const GRANTS: &str = "grants:\n- {connection: \"*/bus/q.q\", to: [\"a/*/*\", b/c/d], allow: [use, read-sensitive]} # bus\n- {connection: x/bus/q.q, to: [\"a/*/*\"], allow: [use]}\n";
    let other = "- {connection: x/bus/q.q, to: [\"a/*/*\"], allow: [use]}\n";
    let bus = "grants:\n- {connection: \"*/bus/q.q\",";
    assert_eq!(revoked(GRANTS, &[], &[]), format!("grants:\n{other}"));
    assert_eq!(revoked(GRANTS, &["b/c/d"], &[]), format!("{bus} to: [\"a/*/*\"], allow: [use, read-sensitive]}} # bus\n{other}"));
    let sensitive = [Permission::ReadSensitive];
    assert_eq!(revoked(GRANTS, &[], &sensitive), format!("{bus} to: [\"a/*/*\", b/c/d], allow: [use]}} # bus\n{other}"));
    assert_eq!(
        revoked(GRANTS, &["a/*/*"], &sensitive),
        format!(
            "{bus} to: [b/c/d], allow: [use, read-sensitive]}} # bus\n{other}- {{connection: \"*/bus/q.q\", to: [\"a/*/*\"], allow: [use]}}\n"
        )
    );
    assert_eq!(revoked(GRANTS, &["nobody/*/*"], &[]), GRANTS);
}

#[test]
fn r40_an_owner_is_set_in_any_layout() {
    for (before, after) in [
        ("", "owners:\n  network: {repository: acme/new, id: 9}\n"),
        ("owners: {}\n", "owners: {network: {repository: acme/new, id: 9}}\n"),
        (
            "owners: # by hand\n  # the network\n  network: {repository: acme/old, id: 1} # since May\n  bus: {repository: acme/bus, id: 2}\n",
            "owners: # by hand\n  # the network\n  network: {repository: acme/new, id: 9} # since May\n  bus: {repository: acme/bus, id: 2}\n",
        ),
        (
            "owners:\n    network:\n        repository: acme/old # was\n        id: 1 # its id\ngrants: []\n",
            "owners:\n    network:\n        repository: acme/new # was\n        id: 9 # its id\ngrants: []\n",
        ),
        (
            "owners: {bus: &b {repository: a/b, id: 1}, network: *b}\n",
            "owners: {bus: &b {repository: a/b, id: 1}, network: {repository: acme/new, id: 9}}\n",
        ),
    ] {
        assert_eq!(below(before, &[new_owner("network")]), after);
    }
}

#[test]
fn r40_a_new_owner_is_written_with_those_before() {
    let before = Owner { repository: "acme/old".into(), id: 1, former: Vec::new() };
    let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let after = before.handed_over("acme/new".into(), 9, at);
    for (written, expected) in [
        (
            "owners:\n  network: {repository: acme/old, id: 1}\n",
            "owners:\n  network: {repository: acme/new, id: 9, former: [{id: 1, until: '2026-09-21T14:13:20+00:00'}]}\n",
        ),
        (
            "owners:\n  network:\n    repository: acme/old\n    id: 1\n",
            "owners:\n  network:\n    repository: acme/new\n    id: 9\n    former: [{id: 1, until: '2026-09-21T14:13:20+00:00'}]\n",
        ),
    ] {
        assert_eq!(below(written, &[Edit::SetOwner("network".parse().unwrap(), after.clone())]), expected);
    }
    assert_eq!(after.handed_over("acme/old".into(), 1, at).former.len(), 1, "an owner is not its own predecessor");
}

#[test]
fn r40_what_would_change_something_else_as_well_is_left_to_a_person() {
    let text = format!("{HEAD}owners: {{network: &n {{repository: acme/old, id: 1}}, bus: *n}}\n");
    let problems = edit_workspace("workspace.yaml", text.as_bytes(), &[new_owner("network")]).unwrap_err();
    assert_eq!(problems.0[0].message, "`workspace.yaml` is written in a way that a program cannot change safely");
    assert_eq!(problems.0[0].help, ["write this in it:\nowners:\n  network: {repository: acme/new, id: 9}"]);
}

#[test]
fn r48_an_imported_connection_is_written_with_references() {
    let fields = serde_json::json!({
        "apiVersion": "tieline/v1", "kind": "ImportedConnection", "name": "legacy", "type": "postgres-conn", "version": "1.0.0",
        "attributes": {"host": "on", "port": 5432}, "sensitive": {"password": {"env": "LEGACY_PASSWORD"}},
    });
    let text = write_imported(fields.as_object().unwrap());
    insta::assert_snapshot!(text, @"
    apiVersion: tieline/v1
    kind: ImportedConnection
    name: legacy
    type: postgres-conn
    version: 1.0.0
    attributes:
      host: on
      port: 5432
    sensitive:
      password:
        env: LEGACY_PASSWORD
    ");
    let connection = crate::documents::imported("legacy.yaml", text.as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(connection).unwrap(), fields);
}

proptest::proptest! {
    /// Whatever the layout, a change ends with the document that was asked for, or with a refusal; never with a crash or another one.
    #[test]
    fn any_text_is_changed_rightly_or_not_at_all(lines in proptest::collection::vec(
        proptest::sample::select(vec![
            "grants:", "grants: []", "grants: [{connection: a/b/*, to: [c/d/e], allow: [use]}]", "grants: &a", "- {connection: a/b/*, to: [c/d/e], allow: [use]}",
            "  - connection: a/b/*", "    to:", "      - c/d/e", "    allow: [use,", "use]", "# word", "  # word", "", "owners:", "owners: {",
            "  network: {repository: a/b, id: 1}", "  network:", "    repository: |-", "      a/b", "    id: 1", "}", "values: {}", "values: *a", "...", "---", "\t",
        ]), 0..12), end in proptest::sample::select(vec!["\n", "\r\n"])) {
        let text = format!("{HEAD}{}", lines.join("\n")).replace('\n', end);
        let edits = [new_grant(), new_owner("network"), Edit::RemoveGrant(0), Edit::RemoveConsumer(0, "c/d/e".into())];
        for edit in edits {
            drop(edit_workspace("workspace.yaml", text.as_bytes(), &[edit]));
        }
    }
}
