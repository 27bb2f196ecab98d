//! States in PostgreSQL.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::hand_over::HandOver;
use super::server::Server;
use super::{need, program};

const PASSWORD: &str = "canary-of-the-database-password";
/// The user that nobody is, on every Linux: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

struct Postgres {
    server: Server,
    programs: PathBuf,
    // Dropped after the server, whose data it is.
    _folder: TempDir,
}

impl Postgres {
    fn start() -> Result<Self, String> {
        let programs = programs().ok_or("no PostgreSQL server on PATH or in /usr/lib/postgresql")?;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        for path in [folder.path(), &password].into_iter().filter(|_| is_root()) {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let made = unprivileged(&programs.join("initdb"), folder.path())
            .args(["--username=tieline", "--auth=scram-sha-256", "--no-sync", "--no-locale", "--encoding=UTF8"])
            .arg("--pwfile")
            .arg(&password)
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let server = Server::start(
            |port| {
                let mut command = unprivileged(&programs.join("postgres"), folder.path());
                command.args(["-h", "127.0.0.1", "-c", "fsync=off", "-p", &port.to_string()]).arg("-D").arg(&data);
                command.arg("-k").arg(folder.path()).stderr(Stdio::null());
                command
            },
            |port| query(&programs, port, "select 1").is_some(),
        );
        Ok(Self { server, programs, _folder: folder })
    }

    /// The schemas that hold states, in order.
    fn schemas(&self) -> Vec<String> {
        let schemas = "select table_schema from information_schema.tables where table_name = 'states' order by 1";
        query(&self.programs, self.server.port, schemas).unwrap().lines().map(str::to_owned).collect()
    }

    fn backend(&self) -> String {
        let port = self.server.port;
        format!(r#"{{type: pg, config: {{conn_str: "postgres://tieline@127.0.0.1:{port}/postgres?sslmode=disable"}}}}"#)
    }
}

/// The folder that holds the server's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    // Links to its programs stay where they are: PostgreSQL finds its other files from where it really is.
    let initdb = fs::canonicalize(program("initdb", &installed)?).ok()?;
    let folder = initdb.parent()?;
    ["postgres", "psql"].iter().all(|name| folder.join(name).is_file()).then(|| folder.to_owned())
}

fn unprivileged(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What the query answers, or none where nobody answers.
fn query(programs: &Path, port: u16, query: &str) -> Option<String> {
    let answer = Command::new(programs.join("psql"))
        .env("PGPASSWORD", PASSWORD)
        .args(["-h", "127.0.0.1", "-U", "tieline", "-d", "postgres", "-XAtq", "-p", &port.to_string(), "-c", query])
        .output()
        .unwrap();
    answer.status.success().then(|| String::from_utf8(answer.stdout).unwrap())
}

#[test]
fn acceptance_pg_a_secret_is_handed_over_through_the_producers_state() {
    let Some(postgres) = need("pg", Postgres::start()) else { return };
    let hand_over = HandOver::new(&postgres.backend(), &[("PGPASSWORD", PASSWORD)]);
    hand_over.proves(&[PASSWORD]);
    assert_eq!(postgres.schemas(), ["platform/staging/data/database", "retail/staging/shop/api"]);
}

#[test]
fn acceptance_pg_case_20_two_aliases_of_63_characters_with_a_common_prefix_have_two_states() {
    let Some(postgres) = need("pg", Postgres::start()) else { return };
    let hand_over = HandOver::new(&postgres.backend(), &[("PGPASSWORD", PASSWORD)]);
    let aliases = ["a", "b"].map(|last| format!("{}{last}", "x".repeat(62)));
    hand_over.deploy_two_databases(&aliases);
    let schemas = postgres.schemas();
    assert_eq!(schemas.len(), 2, "{schemas:?}");
    assert!(schemas.iter().all(|schema| schema.len() <= 63), "PostgreSQL would cut these: {schemas:?}");
}

#[test]
fn acceptance_pg_states_move() {
    let Some(postgres) = need("pg", Postgres::start()) else { return };
    let hand_over = HandOver::new(&postgres.backend(), &[("PGPASSWORD", PASSWORD)]);
    hand_over.proves_moves(&[PASSWORD]);
    let schemas =
        ["platform/staging/data/database", "platform/staging/data/orders", "retail/staging/shop/api", "retail/staging/store/api"];
    assert_eq!(postgres.schemas(), schemas);
}
