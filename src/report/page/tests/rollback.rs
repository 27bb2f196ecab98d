//! Going back, as people read of it.

use std::collections::{BTreeMap, BTreeSet};

use super::SUMMARY;
use crate::domain::organization::Override;
use crate::domain::outcome::{PlanReport, RunReport, WayBack};
use crate::domain::record::{Overridden, RunType};
use crate::report::fixtures::{planned, succeeded, surroundings};
use crate::report::{comment, run, summary};

const NOTE: &str =
    "slot `worker.network`: `platform/staging/network/vpc.vpc` has moved on from generation 1 to 2, and is used as it is now";

/// A rollback that went well, of which only what is special is left.
fn rolled_back() -> RunReport {
    let mut report = succeeded();
    report.run.run_type = RunType::Rollback;
    report.run.tasks.truncate(1);
    report.run.overrides = vec![Overridden {
        what: Override::BreakConsumers,
        subjects: BTreeSet::from(["retail/staging/billing/worker.orders".to_owned()]),
        reason: "it goes with <b>us</b>".to_owned(),
        left: BTreeMap::new(),
    }];
    report.back = Some(WayBack {
        version_tag: "1.9".parse().unwrap(),
        run: report.run.id.clone(),
        made: report.run.started,
        command: "tieline rollback -w retail -e staging --deployable orders --to X".to_owned(),
        dispatch: Some(
            "gh workflow run rollback.yml --repo acme/orders -f deployable=orders -f environment=staging -f release=X".to_owned(),
        ),
    });
    let (changes, connections, stale) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let retained = vec!["module.plugin.aws_s3_bucket.backups".to_owned()];
    RunReport { changes, connections, stale, retained, wiring: Vec::new(), notes: vec![NOTE.to_owned()], ..report }
}

#[test]
fn r36_a_rollback_and_the_way_back_from_it() {
    let page = summary::run(&rolled_back(), &surroundings(), SUMMARY);
    insta::assert_snapshot!(page, @r"
    ### ✅ Rollback succeeded: `orders` in `retail/staging`

    1 created, 1 changed · 1m 34s · release `8f3c2d1e9b7a` · commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    - slot `worker.network`: `platform/staging/network/vpc.vpc` has moved on from generation 1 to 2, and is used as it is now

    - set aside: break-consumers `retail/staging/billing/worker.orders`, because: it goes with `<b>us</b>`

    | Applied plugin | Result | Changes | Time | Why |
    |---|---|---|---|---|
    | `queue` | ✅ deployed | 1 created, 1 changed | 4.0s |  |

    #### Left behind on purpose

    - `module.plugin.aws_s3_bucket.backups`

    #### To go back

    The release before this run is `1.9`, made `2027-01-15 08:00:00 UTC`. The first line starts the workflow `rollback.yml` of the examples, the second is the command line:

    ```sh
    gh workflow run rollback.yml --repo acme/orders -f deployable=orders -f environment=staging -f release=X
    tieline rollback -w retail -e staging --deployable orders --to X
    ```

    run `01MCC5RM000000000000000007` · `Terraform 1.11.4, /github/runner_temp/terraform`
    ");
    assert_eq!(comment::run(&rolled_back(), &surroundings(), SUMMARY), page, "the comment says the same");
    insta::assert_snapshot!(run::text(&rolled_back(), false), @r"
    retail/staging/orders succeeded: 1 task, 0 unchanged, +1 ~1 -0, 94.0s
    slot `worker.network`: `platform/staging/network/vpc.vpc` has moved on from generation 1 to 2, and is used as it is now
    set aside: break-consumers `retail/staging/billing/worker.orders`, because: it goes with <b>us</b>

    Left behind on purpose
      module.plugin.aws_s3_bucket.backups

    To go back to release `1.9` of 2027-01-15 08:00:00 UTC:
      tieline rollback -w retail -e staging --deployable orders --to X
    ");
}

#[test]
fn r36_a_plan_of_a_rollback() {
    let report = PlanReport { run_type: RunType::Rollback, notes: vec![NOTE.to_owned()], wiring: Vec::new(), ..planned() };
    let page = summary::plan(&report, &surroundings(), SUMMARY);
    let head: Vec<&str> = page.lines().take_while(|line| !line.starts_with("| `queue`")).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    ### ⚠️ Rollback plan needs approval: `orders` in `retail/staging`

    2 to create, 1 to change, 2 to destroy, 1 planned later · commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    - slot `worker.network`: `platform/staging/network/vpc.vpc` has moved on from generation 1 to 2, and is used as it is now

    #### A rollback would be refused

    ❌ `needs-approval`: the plan of `worker` deletes or replaces 2 resources<br>at `tieline.yaml: plugins.worker`

    ```text
    replace module.plugin.aws_instance.worker
    delete module.plugin.aws_eip.old
    ```

    **What to do:** review `tieline plan`; if this is wanted, deploy with `--allow-destroy` or `--approved-plan <fingerprint>`

    | Applied plugin | Plan | Changes | Why |
    |---|---|---|---|
    ");
    assert!(page.contains("To roll back by exactly this plan, and nothing else"), "{page}");
}
