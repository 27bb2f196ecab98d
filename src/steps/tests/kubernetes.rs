//! Pods, with a `kubectl` that runs what it is asked to run on this machine, in a folder in place of the pod's.

use serde_json::Value;

use super::fake::{Fake, play};
use super::stage::{Given, problems};
use crate::domain::organization::StepRunner::Kubernetes;
use crate::secrets::Secret;
use crate::steps::StepText;

const OVERLAY: &str = "
    metadata: {annotations: {vault: 'true'}}
    spec:
      serviceAccountName: maker
      restartPolicy: Never
      volumes: [{name: extra, emptyDir: {}}]
      containers:
        - name: main
          env: [{name: KEY, valueFrom: {secretKeyRef: {name: s, key: k}}}]
          volumeMounts: [{name: extra, mountPath: /extra}]
        - {name: proxy, image: example/proxy}
";

/// `/pod` in scripts stands for the folder.
fn yaml(script: &str) -> String {
    format!(
        "runner:\n  image: example/tools:1\n  namespace: sandboxes\n  podTemplateOverlay: |{OVERLAY}create:\n  - name: seed\n    inputs: [{{name: password, valueFromConnection: server.password, as: {{env: PASSWORD, path: /in/password}}}}]\n    outputs: [{{name: url, valueFromPath: /out/url}}]\n    script: |\n      #!/bin/sh\n{}",
        script.lines().map(|line| format!("      {line}\n")).collect::<String>()
    )
}

/// Does what the real one does for these calls: paths of the pod are below `$kept/pod`.
const CLUSTER: &str = r#"
pod=$kept/pod
case $2 in
  create) say "$@"; cat > "$kept/pod.json"; mkdir -p "$pod/tieline";;
  wait | get | delete) say "$@";;
  exec) shift 2; [ "$1" = "--stdin" ] && { input=yes; shift; }
    [ "$2 $3 $4 $5" = "--container=main -- sh -c" ] || exit 99
    script=$6; shift 7
    say exec "$@"
    # Absolute paths of arguments and of the scripts themselves.
    for word; do shift; case $word in /*) word=$pod$word;; esac; set -- "$@" "$word"; done
    for name in tieline out in; do script=$(echo "$script" | sed "s#/$name/#$pod/$name/#g"); done
    if [ "$input" ]; then sh -c "$script" sh "$@"; else sh -c "$script" sh "$@" < /dev/null; fi;;
esac
"#;

fn cluster(change: impl Fn(&str) -> String) -> Fake {
    let fake = Fake::new("kubectl", &change(CLUSTER));
    let path = fake.folder().join("bin");
    std::fs::create_dir_all(&path).unwrap();
    let sed = ["/bin/sed", "/usr/bin/sed"].iter().find(|path| std::path::Path::new(path).exists()).unwrap();
    std::os::unix::fs::symlink(sed, path.join("sed")).unwrap();
    fake
}

fn given() -> Given {
    let mut given = Given::default();
    given.connections.insert("server.password".into(), StepText::Secret(Secret::new("canary\n'$(x)\"")));
    given
}

/// A script in the pod's own words, which finds its folder beside itself.
const SCRIPT: &str = "pod=${0%/tieline/script}\nfile=$pod/in/password\n[ \"$(cat \"$file\")\" = \"$PASSWORD\" ] || exit 3\necho \"$TIELINE_STEP $TIELINE_STEP_ROOT.\"\nprintf %s \"$PASSWORD\" > \"$pod/out/url\"";

#[tokio::test]
async fn r58_a_pod_is_made_filled_run_read_and_deleted() {
    let cluster = cluster(str::to_owned);
    let (lines, end) = play(Kubernetes, &cluster, &yaml(SCRIPT), &given(), None).await;
    assert!(end.succeeded(), "{:?} {lines:?} {}", end.problems, cluster.said());
    assert_eq!(end.left["seed"]["url"].expose(), "canary\n'$(x)\"");
    assert_eq!(lines, ["seed ."]);
    let said = cluster.said();
    let shorten = |line: &str| line.split("tieline-step-").next().unwrap().trim_end().to_owned();
    let calls: Vec<String> = said.lines().map(shorten).collect();
    assert_eq!(
        calls,
        [
            "--namespace=sandboxes create --filename=-",
            "--namespace=sandboxes wait --for=condition=Ready pod/",
            "exec /tieline/script 0555",
            "exec /tieline/env 0444",
            "exec /in/password 0444",
            "exec /out",
            "exec",
            "exec /out/url 1048577",
            "--namespace=sandboxes delete pod",
        ]
    );
    assert!(!said.contains("canary") && !cluster.kept("pod.json").contains("canary"), "r69: neither in a call nor in the pod");
}

#[tokio::test]
async fn the_overlay_is_merged_over_our_template_and_ours_stays() {
    let cluster = cluster(str::to_owned);
    play(Kubernetes, &cluster, &yaml(SCRIPT), &given(), None).await;
    let pod: Value = serde_json::from_str(&cluster.kept("pod.json")).unwrap();
    assert_eq!(pod["metadata"]["labels"]["tieline/step"], "seed");
    assert_eq!(pod["metadata"]["annotations"]["vault"], "true");
    let spec = &pod["spec"];
    assert_eq!((spec["restartPolicy"].as_str(), spec["serviceAccountName"].as_str()), (Some("Never"), Some("maker")));
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&spec["containers"]), ["main", "proxy"]);
    assert_eq!(names(&spec["volumes"]), ["extra", "tieline"]);
    let main = &spec["containers"][0];
    assert_eq!(main["image"], "example/tools:1");
    assert_eq!(main["env"][0]["valueFrom"]["secretKeyRef"]["key"], "k");
    assert_eq!(names(&main["volumeMounts"]), ["extra", "tieline"]);
    assert_eq!(main["command"][0], "sh");
}

#[tokio::test]
async fn how_a_script_ends_in_its_pod() {
    for (script, expected) in [
        ("exit 4", "step-failed: step `seed` failed: it ended with exit code 4"),
        ("true", "step-failed: step `seed` left no usable output `url`: `/out/url` is not there"),
        (
            "ln -s /etc/passwd ${0%/tieline/script}/out/url",
            "step-failed: step `seed` left no usable output `url`: `/out/url` is a link, not a regular file",
        ),
        (
            "head -c 100M /dev/zero > ${0%/tieline/script}/out/url",
            "step-failed: step `seed` left no usable output `url`: `/out/url` is larger than 1048576 bytes",
        ),
    ] {
        let (_, end) = play(Kubernetes, &cluster(str::to_owned), &yaml(script), &given(), None).await;
        assert_eq!(problems(&end), [expected], "{script}");
    }
}

#[tokio::test]
async fn r62_a_cancelled_pod_is_told_and_deleted() {
    let cluster = cluster(str::to_owned);
    let script = "trap 'echo tidied; exit 0' TERM\necho ready\nwhile :; do sleep 0.02; done";
    let (lines, end) = play(Kubernetes, &cluster, &yaml(script), &given(), Some("ready")).await;
    assert_eq!(lines, ["ready", "tidied"]);
    assert_eq!(problems(&end), ["cancelled: step `seed` was stopped: the run was cancelled"]);
    assert!(cluster.said().lines().last().unwrap().contains("delete pod tieline-step-"), "{}", cluster.said());
}

#[tokio::test]
async fn a_pod_that_does_not_start_says_why() {
    let state = r#"{"status":{"containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull","message":"no such image"}}}]}}"#;
    let change = |script: &str| {
        script.replace(
            "wait | get | delete) say \"$@\";;",
            &format!("wait) exit 1;;\n  get) echo '{state}';;\n  delete) say \"$@\";;"),
        )
    };
    let cluster = cluster(change);
    let (_, end) = play(Kubernetes, &cluster, &yaml(SCRIPT), &given(), None).await;
    assert_eq!(problems(&end), ["step-failed: step `seed` cannot be run: its pod does not start: ErrImagePull no such image"]);
    assert!(cluster.said().contains("delete pod"));
}
