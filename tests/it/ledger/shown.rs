//! Who uses what, as both sides see it.

use crate::harness::{Project, assert_shown, needs_terraform};

/// The shop, whose network has changed since.
fn shop_behind() -> Project {
    let project = Project::deployed_shop();
    project.edit("network/tieline.yaml", "network}", "network, inputs: {region: sa-east-3}}");
    project.deploy("network").succeeds();
    project
}

#[test]
fn tf_r20_both_sides_see_who_is_behind() {
    needs_terraform!();
    let project = shop_behind();
    let vpc = "platform/staging/network/vpc.vpc";
    assert_shown!(project.run(&["connection", "show", vpc]).succeeds().stdout, @r#"
    platform/staging/network/vpc.vpc  network-conn 1.0.0, generation 2
      cidr = "10.0.0.0/16"
      region = "sa-east-3"
    made by network 1.0.0 in run <id>
    1 consumer
      retail/staging/shop/database.network  generation 1, behind  network-conn 1.0.0  uses cidr, region
    its destroy would be refused:
      needed by retail/staging/shop/database.network
      needed by the default `network-conn` of environment `retail/staging`
    "#);
    let shown = project.run(&["connection", "show", vpc, "-o", "json"]).succeeds().json();
    let consumer = &shown["consumers"][0];
    assert_eq!(
        (&consumer["workspace"], &consumer["deployable"], &consumer["slot"]),
        (&"retail".into(), &"shop".into(), &"database.network".into())
    );
    assert_eq!((&consumer["behind"], &consumer["generation"]), (&true.into(), &1.into()));
    assert_eq!(shown["neededBy"][0]["subject"], "retail/staging/shop/database.network");
    assert_shown!(project.run(&["connection", "list", "-w", "platform", "-e", "staging"]).succeeds().stdout, @r#"
    platform/staging/network/vpc.vpc  network-conn 1.0.0, generation 2
      cidr = "10.0.0.0/16"
      region = "sa-east-3"
      1 consumer, 1 behind
    "#);
    let status = project.run(&["status", "-C", "shop", "-e", "staging"]).succeeds();
    assert_shown!(status.stdout.split_once("\nStale\n").unwrap().1, @r"
    retail/staging/shop/database.network
      takes platform/staging/network/vpc.vpc: generation 1 is in use, there is 2
    ");
    project.deploy("shop").succeeds();
    project.run(&["status", "-C", "shop", "-e", "staging"]).succeeds().never_says("Stale");
}

#[test]
fn tf_r15_usage_tells_who_is_to_move() {
    needs_terraform!();
    let project = Project::deployed_shop();
    assert_shown!(project.run(&["plugins", "usage"]).succeeds().stdout, @r"
    plugin network 1.0.0
      platform/staging/network/vpc
    plugin postgres 1.4.0
      retail/staging/shop/database
    plugin web 2.0.0
      retail/staging/shop/api
    type network-conn 1.0.0
      retail/staging/shop/database.network  platform/staging/network/vpc.vpc
    type postgres-conn 1.1.0
      retail/staging/shop/api.database  retail/staging/shop/database.db
    ");
    assert_shown!(project.run(&["plugins", "usage", "postgres@1"]).succeeds().stdout, @r"
    plugin postgres 1.4.0
      retail/staging/shop/database
    ");
    project.run(&["plugins", "usage", "postgres@2"]).succeeds().says("nothing applied uses it");
    project.run(&["plugins", "usage", "postgres@new"]).refused("invalid-input");
    let usage = project.run(&["plugins", "usage", "network-conn@>=1, <2", "-o", "json"]).succeeds().json();
    assert_eq!(usage["types"][0]["usedBy"][0]["consumer"], "retail/staging/shop/database.network");
}
