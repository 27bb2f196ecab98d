//! The state as text.

use super::text;
use crate::report::fixtures::status::{now, status};

#[test]
fn it_reads_well_on_a_narrow_screen() {
    insta::assert_snapshot!(text(&status(None), now(), 80), @r"
    retail

    Running now
      staging/orders  deploy by ana
        run 01MCC5RM000000000000000007, since 2027-01-15 08:00:00 UTC, 2h ago
        on runner-7, process 7; 3 of 3 tasks done
        https://github.com/acme/orders/actions/runs/7
        unknown whether alive: nobody can tell
        its lease ends 2027-01-15 10:00:00 UTC, in 0s
        free it: tieline unlock --claim 01MCC5RM000000000000000007 --reason <text>

    Runs
      01MCC5RM000000000000000007  staging/orders  deploy 8f3c2d1e9b7a  failed
        (apply-failed)
        2027-01-15 08:00:00 UTC, 2h ago, took 94.0s, by ana
        queue +1 ~1 -0: succeeded
        worker +0 ~0 -1: failed, creating EC2 Instance: operation error EC2:
          RunInstances, https response error StatusCode: 403, UnauthorizedOperation
        dashboard: skipped, `worker` did not succeed
        set aside abandon for worker: it is somebody else's now
      01MCBW7EC00000000000000003  staging/orders  deploy 8f3c2d1e9b7a  succeeded
        2027-01-15 08:00:00 UTC, 2h ago, took 94.0s, by ana
        queue +1 ~1 -0, worker +1 ~0 -2: succeeded
        dashboard: skipped, unchanged
        set aside abandon for worker: it is somebody else's now
      and 40 more runs; choose with --since, --run-type, --outcome, --environment,
        --deployable or --limit

    Releases
      staging/orders  v1  back: queue other inputs
        2027-01-15 08:00:00 UTC, 2h ago, run 01MCBW7EC00000000000000003
      to go back: tieline rollback --to v1

    Applied plugins
      staging/orders/queue  sqs-queue 1.2.0
        its apply of 2027-01-15 05:13:20 UTC, 4h ago, did not come to a good end,
          and none did before; 2 resources
      and 2 more deployables; choose with --environment, --deployable or --limit

    Connections
      retail/staging/orders/queue.main  ready
        aws-sqs-queue-conn 1.0.0, generation 2, 4 consumers, 1 stale
          retail/staging/shop/web.orders  stale: generation 1
          and 3 more
      retail/staging/orders/worker.endpoint  ready
        http-endpoint-conn 1.0.0, generation 2, 4 consumers, 1 stale
          retail/staging/shop/web.orders  stale: generation 1
          and 3 more

    Stale
      retail/staging/orders/queue.network
        takes platform/staging/network/vpc.vpc: generation 1 is in use, there is 2

    Previews
      pr-12  acme/orders#12, from staging
        2d left, until 2027-01-17 12:00:00 UTC

    State locks
      staging/orders/queue  held by me@host since today for apply, id 1234
      each was tried, and taken for a moment where it was free; states without an
        applied record are not seen

    Not believed, and left out
      retail/staging/orders/runs/x.json
        it has no proof
    ");
}

#[test]
fn no_line_is_wider_than_the_screen_but_for_what_is_to_be_pasted() {
    for width in [80, 120] {
        let shown = text(&status(None), now(), width);
        let wide = shown.lines().filter(|line| line.chars().count() > width && !line.contains("to go back: "));
        assert_eq!(wide.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn r67_hostile_text_is_shown_and_not_obeyed() {
    let hostile = "a\r\n::error::b\u{1b}[2J##[add-mask]\u{202e}c";
    let shown = text(&status(Some(hostile)), now(), 120);
    assert!(!shown.contains(['\r', '\u{1b}', '\u{202e}']) && !shown.contains("##["), "{shown}");
    assert!(shown.lines().all(|line| !line.trim_start().starts_with("::")), "{shown}");
}
