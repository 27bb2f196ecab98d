//! How previews go: by command, by the sweep, and what stands in the way. On the command line, with our GitHub behind it.

mod down;
mod sweep;

use crate::github::{GitHub, Hosted};
use crate::harness::{Project, Ran};

/// The repository that all pull requests here are of.
const REPOSITORY: &str = "acme/shop";

/// A project with previews, and the pull requests that they are for.
struct Scene {
    project: Project,
    github: GitHub,
    hosted: Hosted,
}

impl Scene {
    /// The deployable `shop` of the lab with the applied plugins `base` and `top`, whose previews are on top of `staging`.
    fn new() -> Self {
        let mut project = Project::lab();
        let plugins = "  base: {use: ../plugins/thing}\n  top: {use: ../plugins/thing, connections: {upstream: base.out}}\n";
        project.app("shop", &format!("{plugins}preview: {{base: staging, ttl: 72h}}\n"));
        let github = GitHub::start();
        let hosted = github.repository(REPOSITORY);
        hosted.commit("main", &[("README.md", "a shop")]);
        project.set("GITHUB_API_URL", &github.url());
        let permissions: [&str; 2] = ["pull_requests=write", "deployments=write"];
        project.set("TIELINE_GITHUB_TOKEN", &github.token(&[(REPOSITORY, &permissions)]));
        Self { project, github, hosted }
    }

    /// A scene with open pull requests that have a preview each.
    fn with_previews(count: usize) -> (Self, Vec<u64>) {
        let scene = Self::new();
        let numbers: Vec<u64> = (0..count).map(|_| scene.pull_request()).collect();
        numbers.iter().for_each(|number| drop(scene.up(*number).succeeds()));
        (scene, numbers)
    }

    /// Opens a pull request.
    fn pull_request(&self) -> u64 {
        self.hosted.open_pull("main", "A change")
    }

    fn preview(&self, action: &str, number: u64, more: &[&str]) -> Ran {
        let (number, id) = (number.to_string(), self.hosted.id().to_string());
        let whose = ["--pull-request", &number, "--repository", REPOSITORY, "--repository-id", &id];
        self.project.run(&[&["preview", action], whose.as_slice(), more].concat())
    }

    fn up(&self, number: u64) -> Ran {
        self.preview("up", number, &["-C", "shop"])
    }

    fn down(&self, number: u64) -> Ran {
        self.preview("down", number, &[])
    }

    fn sweep(&self, more: &[&str]) -> Ran {
        self.project.run(&[&["preview", "sweep"], more].concat())
    }

    /// Has the time of a preview be over.
    fn expire(&self, name: &str) {
        let path = format!("lab/{name}/environment.json");
        let mut preview = self.project.ledger(&path);
        preview["expires"] = "2026-01-02T00:00:00Z".into();
        self.project.forge(&path, &preview.to_string());
    }

    /// What the ledger has of previews beside history.
    fn left(&self) -> Vec<String> {
        let is_history = |path: &String| ["/runs/", "/releases/"].iter().any(|folder| path.contains(folder));
        let paths = self.project.ledger_paths().into_iter().filter(|path| path.starts_with("lab/pr-"));
        paths.filter(|path| !is_history(path)).collect()
    }

    /// Nothing is left of any preview but history: not in states, not in the ledger, no claim.
    #[track_caller]
    fn is_swept(&self) {
        assert_eq!(self.left(), Vec::<String>::new());
        assert_eq!(self.resources("pr-"), Vec::<String>::new());
        assert_eq!(self.project.claims(), "");
        self.project.verify();
    }

    /// The resources in the states of environments whose name starts so.
    fn resources(&self, environment: &str) -> Vec<String> {
        let states = self.project.files_below(".tieline/states/lab");
        let of_environment = states.iter().filter(|path| path.contains(&format!("/lab/{environment}")));
        let keys = of_environment.filter_map(|path| path.strip_prefix(".tieline/states/")?.strip_suffix(".tfstate"));
        keys.flat_map(|key| self.project.state_resources(key).into_iter().map(move |name| format!("{key}: {name}"))).collect()
    }

    /// How many requests were made whose method and target start so.
    fn asked(&self, what: &str) -> usize {
        self.github.requests().iter().filter(|seen| seen.to_string().starts_with(what)).count()
    }
}
