//! What `tieline fleet` prints.

use serde_json::Value;

use crate::endure::bench::Bench;
use crate::harness::assert_shown;

#[test]
fn r22_the_waves_for_people() {
    let bench = Bench::new();
    let plugin = |more: &str| format!("{{use: ../plugins/quick{more}}}");
    let after = plugin(", after: [cache]");
    let link = plugin(", connections: {from: database.out, also: cache.out}");
    bench.deployable("app", &format!("{{database: {}, cache: {}, web: {link}, mail: {after}}}", plugin(""), plugin("")));
    assert_shown!(bench.run(&["fleet", "-C", "app", "-e", "e"]).succeeds().stdout, @r"
    w/e/app: 4 jobs in 2 waves

    Wave 1
      cache
      database

    Wave 2
      mail
      web

    Each job, wave after wave:
      tieline deploy --fleet <id> --only <its aliases>
    then, however they ended:
      tieline fleet finish --fleet <id>
    ");
    let one = bench.run(&["fleet", "-C", "app", "-e", "e", "--jobs", "1", "-o", "json"]).succeeds().json();
    assert_eq!(one["waves"][1]["include"][0]["aliases"], "mail,web");
    assert_eq!(one["waves"][1]["include"][0]["name"], "mail and 1 more");
    let flat = bench.run(&["fleet", "-C", "app", "-e", "e", "--waves", "1", "-o", "json"]).succeeds().json();
    assert_eq!(flat["waves"].as_array().unwrap().len(), 1);
    assert_eq!(flat["waves"][0]["include"][0]["aliases"], "cache,database,mail,web", "what waits for each other is in one job");
}

/// GitHub takes 256 jobs of a matrix.
#[test]
fn three_hundred_applied_plugins_in_one_wave() {
    let bench = Bench::new();
    let plugins: Vec<String> = (0..300).map(|number| format!("a{number:03}: {{use: ../plugins/quick}}")).collect();
    bench.deployable("app", &format!("{{{}}}", plugins.join(", ")));
    let output = bench.path("output");
    std::fs::write(&output, "").unwrap();
    let mut step = bench.command(&[]);
    step.env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", &output).env("INPUT_COMMAND", "fleet");
    step.env("INPUT_WORKING-DIRECTORY", "app").env("INPUT_ENVIRONMENT", "e").env("INPUT_CONTEXT", bench.context());
    let ended = bench.start(step).finish();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.out, ended.err);
    let written = std::fs::read_to_string(&output).unwrap();
    let matrix = written.lines().skip_while(|line| !line.starts_with("matrix<<")).nth(1).unwrap();
    let matrix: Value = serde_json::from_str(matrix).unwrap();
    assert_eq!(matrix["fleet"].as_str().unwrap().len(), 26);
    let [wave] = matrix["waves"].as_array().unwrap().as_slice() else { panic!("{matrix}") };
    let jobs = wave["include"].as_array().unwrap();
    assert_eq!((jobs.len(), &jobs[0]["aliases"], &jobs[255]["aliases"]), (256, &"a000,a001".into(), &"a299".into()));
}
