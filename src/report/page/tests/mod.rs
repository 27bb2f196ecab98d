//! What people read, as they read it.

mod hostile;
mod rollback;
mod room;

use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::report::fixtures::{failed, planned, succeeded, surroundings};
use crate::report::{Surroundings, comment, summary};

const SUMMARY: usize = 1_000_000;

#[test]
fn a_deploy_that_went_well() {
    insta::assert_snapshot!(summary::run(&succeeded(), &surroundings(), SUMMARY), @r#"
    ### ✅ Deploy succeeded: `orders` in `retail/staging`

    2 created, 1 changed, 2 destroyed · 1m 34s · release `8f3c2d1e9b7a` · commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    | Applied plugin | Result | Changes | Time | Why |
    |---|---|---|---|---|
    | `queue` | ✅ deployed | 1 created, 1 changed | 4.0s |  |
    | `worker` | ✅ deployed | 1 created, 2 destroyed | 1m 11s |  |
    | `dashboard` | ➖ unchanged |  |  |  |

    #### Connections

    | Connection | Type | Generation | Attributes |
    |---|---|---|---|
    | `retail/staging/orders/queue.main` | `aws-sqs-queue-conn 1.0.0` | 2 | `arn = "arn:aws:sqs:eu-west-1:123456789012:orders-staging"`<br>`url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-staging"` |
    | `retail/staging/orders/worker.endpoint` | `http-endpoint-conn 1.0.0` | 2 | `host = "10.0.0.7"`<br>`port = 8080`<br>`token` (sensitive) |

    #### Consumers that are behind

    They were applied with an older generation than there is now. Deploy them to take in the new one.

    | Connection | Consumers |
    |---|---|
    | `retail/staging/orders/queue.main` | `retail/staging/billing/worker.orders` |

    #### Who feeds whom

    ```mermaid
    flowchart LR
      outer0(["platform/staging/network/vpc.vpc"])
      subgraph deployable["orders"]
        own0["dashboard"]
        own1["queue"]
        own2["worker"]
      end
      own1 -->|"main to source"| own2
      outer0 -->|"network"| own2
      own2 -->|"endpoint to api"| own0
    ```

    #### Changes

    <details><summary><code>queue</code> 1 created, 1 changed</summary>

    ```diff
    + create aws_sqs_queue.this
    +     name = "orders-staging"
    +     tags.Team = "retail"
          known after apply: arn, id
    ! update aws_sqs_queue_policy.this["read"]
    !     policy = "{\"Version\":\"2012-10-17\"}" -> (known after apply)
    !     token = (sensitive) -> (sensitive)
    ```

    </details>

    <details><summary><code>worker</code> 1 created, 2 destroyed</summary>

    ```diff
    -/+ replace aws_instance.worker
    !     instance_type = "t3.small" -> "t3.large"  # forces replacement
    - delete aws_eip.old
    ```

    </details>

    run `01MCC5RM000000000000000007` · `Terraform 1.11.4, /github/runner_temp/terraform`
    "#);
}

#[test]
fn a_deploy_that_failed_half_way() {
    insta::assert_snapshot!(summary::run(&failed(), &surroundings(), SUMMARY), @r#"
    ### ❌ Deploy failed: `orders` in `retail/staging`

    1 created, 1 changed, 1 destroyed · 1m 34s · commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    #### What failed

    ❌ `apply-failed`: creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 403, UnauthorizedOperation<br>at `tieline.yaml: plugins.worker`

    ```text
    in the plugin, main.tf:12:3
    with module.plugin.aws_instance.worker
    ```

    **What to do:** correct the cause and deploy again; what was created is in the state

    | Applied plugin | Result | Changes | Time | Why |
    |---|---|---|---|---|
    | `queue` | ✅ deployed | 1 created, 1 changed | 4.0s |  |
    | `worker` | ❌ failed | 1 destroyed | 1m 11s | see above |
    | `dashboard` | ⏭️ skipped |  |  | `worker` did not succeed |

    #### Connections

    | Connection | Type | Generation | Attributes |
    |---|---|---|---|
    | `retail/staging/orders/queue.main` | `aws-sqs-queue-conn 1.0.0` | 2 | `arn = "arn:aws:sqs:eu-west-1:123456789012:orders-staging"`<br>`url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-staging"` |
    | `retail/staging/orders/worker.endpoint` | `http-endpoint-conn 1.0.0` | 2 | `host = "10.0.0.7"`<br>`port = 8080`<br>`token` (sensitive) |

    #### Who feeds whom

    ```mermaid
    flowchart LR
      outer0(["platform/staging/network/vpc.vpc"])
      subgraph deployable["orders"]
        own0["dashboard"]
        own1["queue"]
        own2["worker"]
      end
      own1 -->|"main to source"| own2
      outer0 -->|"network"| own2
      own2 -->|"endpoint to api"| own0
    ```

    #### Changes

    <details><summary><code>queue</code> 1 created, 1 changed</summary>

    ```diff
    + create aws_sqs_queue.this
    +     name = "orders-staging"
    +     tags.Team = "retail"
          known after apply: arn, id
    ! update aws_sqs_queue_policy.this["read"]
    !     policy = "{\"Version\":\"2012-10-17\"}" -> (known after apply)
    !     token = (sensitive) -> (sensitive)
    ```

    </details>

    <details><summary><code>worker</code> 1 destroyed</summary>

    ```diff
    -/+ replace aws_instance.worker  # not done
    !     instance_type = "t3.small" -> "t3.large"  # forces replacement
    - delete aws_eip.old  # done
    ```

    </details>

    run `01MCC5RM000000000000000007` · `Terraform 1.11.4, /github/runner_temp/terraform`
    "#);
}

#[test]
fn a_plan_that_needs_approval() {
    let surroundings = Surroundings { command: "plan".to_owned(), ..surroundings() };
    insta::assert_snapshot!(comment::plan(&planned(), &surroundings, 65_536), @r#"
    ### ⚠️ Plan needs approval: `orders` in `retail/staging`

    2 to create, 1 to change, 2 to destroy, 1 planned later · commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    #### A deploy would be refused

    ❌ `needs-approval`: the plan of `worker` deletes or replaces 2 resources<br>at `tieline.yaml: plugins.worker`

    ```text
    replace module.plugin.aws_instance.worker
    delete module.plugin.aws_eip.old
    ```

    **What to do:** review `tieline plan`; if this is wanted, deploy with `--allow-destroy` or `--approved-plan <fingerprint>`

    | Applied plugin | Plan | Changes | Why |
    |---|---|---|---|
    | `queue` | 📝 deploy | 1 to create, 1 to change |  |
    | `worker` | 📝 deploy | 1 to create, 2 to destroy |  |
    | `dashboard` | ⏳ planned later |  | waits for worker to be applied |

    #### Slots that take something else

    What a slot took until now stays guarded until its new binding is applied.

    | Slot | What it takes |
    |---|---|
    | `worker.source` | `retail/staging/legacy/queue.main (aws-sqs-queue-conn 1.0.0) -> retail/staging/orders/queue.main (aws-sqs-queue-conn 1.0.0)` |
    | `worker.network` | `platform/staging/network/vpc.vpc moved on from generation 3 to 5` |

    #### Impact on consumers elsewhere

    | Connection | What would happen | Whom it concerns |
    |---|---|---|
    | `retail/staging/orders/dashboard.page` | it is not known before the apply of what its producer waits for | `retail/staging/shop/web.orders` |
    | `retail/staging/orders/old.main` | it would go | `retail/staging/shop/web.orders` |
    | `retail/staging/orders/queue.main` | it would change<br>`arn: "arn:aws:sqs:eu-west-1:123456789012:orders" -> (known after apply)`<br>`key: (sensitive), rotated` | `retail/production/billing/worker.orders` uses `arn`, `key`<br>`retail/staging/billing/worker.orders` uses `arn`<br>3 more consumers use nothing of what changes |
    | `retail/staging/orders/worker.endpoint` | it would be replaced, or a part of it<br>`host: "10.0.0.7" -> "10.0.0.8"`<br>`replace aws_instance.worker`<br>`delete aws_eip.old` | `retail/staging/billing/gateway.orders` uses `host`<br>`retail/staging/shop/web.orders` |

    To deploy exactly this plan, and nothing else, pass it on as the input `approved-plan`:

    ```yaml
    approved-plan: 07e1a91bf9d25e2c587477260a7914fd1f004e54af95cdb4a4ee40fc22458973-00b1
    ```

    <details><summary>Who feeds whom</summary>

    ```mermaid
    flowchart LR
      outer0(["platform/staging/network/vpc.vpc"])
      subgraph deployable["orders"]
        own0["dashboard"]
        own1["queue"]
        own2["worker"]
      end
      own1 -->|"main to source"| own2
      outer0 -->|"network"| own2
      own2 -->|"endpoint to api"| own0
    ```

    </details>

    #### Changes

    <details><summary><code>queue</code> 1 to create, 1 to change</summary>

    ```diff
    + create aws_sqs_queue.this
    +     name = "orders-staging"
    +     tags.Team = "retail"
          known after apply: arn, id
    ! update aws_sqs_queue_policy.this["read"]
    !     policy = "{\"Version\":\"2012-10-17\"}" -> (known after apply)
    !     token = (sensitive) -> (sensitive)
    ```

    </details>

    <details><summary><code>worker</code> 1 to create, 2 to destroy</summary>

    ```diff
    -/+ replace aws_instance.worker
    !     instance_type = "t3.small" -> "t3.large"  # forces replacement
    - delete aws_eip.old
    ```

    </details>

    `Terraform 1.11.4, /github/runner_temp/terraform`
    "#);
}

#[test]
fn a_request_that_cannot_begin() {
    let problems = Problems(vec![
        Diagnostic::error(FailureReason::UnresolvedSlot, "slot `worker.network` (`aws-vpc-conn`) has no connection to take")
            .at("tieline.yaml", Pointer::keys(["plugins", "worker", "slots", "network"]))
            .note("looked at: reference (none), link (none), environment default (none)")
            .help("wire it, for example\nslots:\n  network: platform/staging/network/vpc.vpc"),
        Diagnostic::error(FailureReason::InvalidInput, "`parallelism` must be a whole number from 1")
            .in_file("the action's inputs"),
    ]);
    insta::assert_snapshot!(comment::refused(&problems, &surroundings(), 65_536), @r#"
    ### ❌ Deploy not started: `retail/staging/orders`

    commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    Nothing was changed.

    #### What is wrong

    ❌ `unresolved-slot`: slot `worker.network` (`aws-vpc-conn`) has no connection to take<br>at `tieline.yaml: plugins.worker.slots.network`

    ```text
    looked at: reference (none), link (none), environment default (none)
    ```

    **What to do:** wire it, for example

    ```text
    slots:
      network: platform/staging/network/vpc.vpc
    ```

    ❌ `invalid-input`: `parallelism` must be a whole number from 1<br>at `the action's inputs`

    **What to do:** Correct the input that the message names.
    "#);
}

#[test]
fn a_run_that_goes_on() {
    insta::assert_snapshot!(comment::running(&surroundings()), @r#"
    ### ⏳ Deploy running: `retail/staging/orders`

    commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)
    "#);
}

#[test]
fn a_command_that_has_only_its_success_to_tell() {
    let surroundings = Surroundings { command: "validate".to_owned(), title: "validate".to_owned(), ..surroundings() };
    insta::assert_snapshot!(comment::refused(&Problems::default(), &surroundings, 65_536), @r#"
    ### ✅ Validation succeeded

    commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)
    "#);
}
