//! Finds the terraform binary.

use std::path::{Path, PathBuf};

use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::world::{EntryKind, World};

/// The binary before a wrapper's: `hashicorp/setup-terraform` renames the real one and puts a Node script in its place, which
/// would mix its own words into the output.
const NAMES_IN_FOLDERS: [&str; 2] = ["terraform-bin", "terraform"];
const NAMES_ON_PATH: [&str; 2] = ["terraform", "tofu"];
const ELF: &[u8] = b"\x7fELF";

/// A terraform binary; path, size and time together tell one build from another without starting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed, in nanoseconds since the Unix epoch.
    pub modified: i64,
}

/// Finds the binary: what was `requested` (a path, or a name on `PATH`), else the one in `TERRAFORM_CLI_PATH`, else one staged
/// under `RUNNER_TEMP`, else `terraform` and then `tofu` on `PATH`. Nothing takes the place of a requested one.
///
/// # Errors
/// `terraform-missing`, with every place that was looked at.
pub fn locate(world: &World, requested: Option<&str>) -> Result<Binary, Box<Diagnostic>> {
    let mut search = Search { world, looked: Vec::new() };
    if let Some(requested) = requested.filter(|requested| !requested.is_empty()) {
        return search.requested(requested).ok_or_else(|| {
            let message = format!("the requested terraform `{requested}` is not an executable file");
            search.missing(message).help("correct the path, or leave it out").into()
        });
    }
    search.found().ok_or_else(|| {
        search
            .missing("no terraform binary was found".to_owned())
            .help("name the binary with `--terraform <path>`, or install Terraform on the runner")
            .help(
                "in a container action, stage the runner's own by a step before this one:\n  \
                 - uses: tieline/tieline/stage@<release>",
            )
            .into()
    })
}

struct Search<'a> {
    world: &'a World,
    looked: Vec<String>,
}

impl Search<'_> {
    fn requested(&mut self, requested: &str) -> Option<Binary> {
        let candidate = if requested.contains('/') {
            Some(self.world.directory.join(requested))
        } else {
            self.on_path(requested).into_iter().next()
        };
        let Some(path) = candidate else {
            self.looked.push(format!("`{requested}` on PATH: not there"));
            return None;
        };
        let binary = self.binary(&path);
        if binary.is_none() {
            self.looked.push(format!("`{}`: not there, or not executable", path.display()));
        }
        binary
    }

    fn found(&mut self) -> Option<Binary> {
        self.in_cli_path().or_else(|| self.in_runner_temp()).or_else(|| {
            NAMES_ON_PATH.iter().find_map(|name| {
                let candidates = self.on_path(name);
                if candidates.is_empty() {
                    self.looked.push(format!("`{name}` on PATH: not there"));
                }
                candidates.iter().find_map(|path| self.elf(path))
            })
        })
    }

    fn in_cli_path(&mut self) -> Option<Binary> {
        let Some(folder) = self.world.variables.get("TERRAFORM_CLI_PATH") else {
            self.looked.push("TERRAFORM_CLI_PATH: not set".to_owned());
            return None;
        };
        let folder = PathBuf::from(folder);
        NAMES_IN_FOLDERS.iter().find_map(|name| self.elf(&folder.join(name)))
    }

    fn in_runner_temp(&mut self) -> Option<Binary> {
        let Some(temp) = self.world.variables.get("RUNNER_TEMP").map(PathBuf::from) else {
            self.looked.push("RUNNER_TEMP: not set".to_owned());
            return None;
        };
        let folders = self.world.files.list(&temp).unwrap_or_default();
        let inside = folders.iter().filter(|entry| entry.kind == EntryKind::Folder).map(|entry| temp.join(&entry.name));
        let candidates = std::iter::once(temp.clone())
            .chain(inside)
            .flat_map(|folder| NAMES_IN_FOLDERS.map(|name| folder.join(name)))
            .filter(|path| self.world.files.metadata(path).is_some())
            .collect::<Vec<_>>();
        if candidates.is_empty() {
            self.looked.push(format!("`{}` and the folders in it: no `terraform`", temp.display()));
        }
        candidates.iter().find_map(|path| self.elf(path))
    }

    fn on_path(&self, name: &str) -> Vec<PathBuf> {
        which::which_in_all(name, self.world.variables.get("PATH"), &self.world.directory)
            .map(Iterator::collect)
            .unwrap_or_default()
    }

    fn elf(&mut self, path: &Path) -> Option<Binary> {
        let refusal = match self.world.files.first_bytes(path, ELF.len()) {
            Err(_) => "not there",
            Ok(bytes) if bytes != ELF => "not an ELF file",
            Ok(_) => match self.binary(path) {
                Some(binary) => return Some(binary),
                None => "not executable",
            },
        };
        self.looked.push(format!("`{}`: {refusal}", path.display()));
        None
    }

    fn binary(&self, path: &Path) -> Option<Binary> {
        let found = self.world.files.metadata(path).filter(|found| !found.is_folder && found.executable)?;
        Some(Binary { path: path.to_owned(), size: found.size, modified: found.modified })
    }

    fn missing(&self, message: String) -> Diagnostic {
        let missing = Diagnostic::error(FailureReason::TerraformMissing, message);
        self.looked.iter().fold(missing, |missing, place| missing.note(format!("looked at {place}")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tempfile::TempDir;

    use super::*;
    use crate::world::{Files, Variables};

    const SCRIPT: &[u8] = b"#!/usr/bin/env node\n";

    struct Machine(TempDir);

    impl Machine {
        fn with(files: &[(&str, &[u8])]) -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            for (path, bytes) in files {
                Files.write(&machine.0.path().join(path), bytes, true).unwrap();
            }
            machine
        }

        fn locate(&self, requested: Option<&str>) -> Result<String, Box<Diagnostic>> {
            let base = self.0.path();
            let variables = [("TERRAFORM_CLI_PATH", "cli"), ("RUNNER_TEMP", "temp"), ("PATH", "bin")]
                .map(|(name, folder)| (name.to_owned(), base.join(folder).display().to_string()));
            let world = World {
                variables: Arc::new(Variables::new(variables)),
                directory: base.to_owned(),
                ..crate::world::os::world().unwrap()
            };
            locate(&world, requested).map(|binary| binary.path.strip_prefix(base).unwrap().display().to_string())
        }
    }

    #[test]
    fn the_first_real_binary_in_the_documented_order_wins() {
        let everything: [(&str, &[u8]); 6] = [
            ("cli/terraform-bin", ELF),
            ("cli/terraform", ELF),
            ("temp/terraform", ELF),
            ("temp/staged/terraform", ELF),
            ("bin/terraform", ELF),
            ("bin/tofu", ELF),
        ];
        for start in 0..everything.len() {
            let machine = Machine::with(&everything[start..]);
            assert_eq!(machine.locate(None).unwrap(), everything[start].0);
        }
    }

    #[test]
    fn a_node_wrapper_is_never_taken_unless_asked_for() {
        let machine = Machine::with(&[("cli/terraform", SCRIPT), ("bin/terraform", SCRIPT), ("bin/tofu", ELF)]);
        assert_eq!(machine.locate(None).unwrap(), "bin/tofu");
        assert_eq!(machine.locate(Some("terraform")).unwrap(), "bin/terraform");
        assert_eq!(machine.locate(Some("cli/terraform")).unwrap(), "cli/terraform");
    }

    #[test]
    fn a_requested_one_that_is_missing_is_an_error_and_nothing_takes_its_place() {
        let machine = Machine::with(&[("bin/terraform", ELF)]);
        for requested in ["terraform-1.5", "elsewhere/terraform"] {
            let problem = machine.locate(Some(requested)).unwrap_err();
            assert_eq!(problem.reason, FailureReason::TerraformMissing);
            assert!(problem.message.contains(requested));
        }
    }

    #[test]
    fn terraform_missing_lists_where_it_looked_and_how_to_stage_one() {
        let machine = Machine::with(&[("cli/terraform", SCRIPT)]);
        let problem = machine.locate(None).unwrap_err();
        let text = format!("{}\n{}\n{}", problem.message, problem.notes.join("\n"), problem.help.join("\n"));
        let text = text.replace(machine.0.path().to_str().unwrap(), "…");
        insta::assert_snapshot!(text, @r#"
        no terraform binary was found
        looked at `…/cli/terraform-bin`: not there
        looked at `…/cli/terraform`: not an ELF file
        looked at `…/temp` and the folders in it: no `terraform`
        looked at `terraform` on PATH: not there
        looked at `tofu` on PATH: not there
        name the binary with `--terraform <path>`, or install Terraform on the runner
        in a container action, stage the runner's own by a step before this one:
          - uses: tieline/tieline/stage@<release>
        "#);
    }
}
