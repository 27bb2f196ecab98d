//! Keeping the token fresh. Terraform reads its file each time its credentials of the cloud come to their end, which may be an hour
//! after the token did.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{WebIdentity, fetch};
use crate::domain::diagnostic::Diagnostic;

impl WebIdentity {
    /// Writes the token to a file for one Terraform, readable by its owner alone, and again whenever there is a new one.
    pub(super) fn keep_renewed(&self, file: &Path) -> io::Result<()> {
        // Held meanwhile, so that no renewal passes between.
        let token = self.token();
        self.world.files.write_private(file, token.text.expose().as_bytes())?;
        self.files().insert(file.to_owned());
        Ok(())
    }

    /// Renews the token, each at half its life, for as long as it is waited for. `say` is told of a renewal that failed, and of the
    /// next that did not.
    pub async fn keep_fresh(&self, say: &(dyn Fn(String) + Send + Sync)) -> Infallible {
        loop {
            let half_life = self.token().half_life();
            self.world.clock.sleep(half_life).await;
            let mut failed = false;
            while let Err(why) = self.renew().await {
                if !failed {
                    say(self.cannot_renew(&why));
                }
                failed = true;
                self.world.clock.sleep((half_life / 8).clamp(Duration::from_secs(1), Duration::from_secs(15))).await;
            }
            if failed {
                say("the workflow's OIDC token is renewed again".to_owned());
            }
        }
    }

    async fn renew(&self) -> Result<(), String> {
        let fresh = fetch(&*self.source, self.audience, &self.learn).await.map_err(|problem| whole(&problem))?;
        let mut token = self.token();
        *token = fresh;
        let text = token.text.expose().as_bytes();
        let written = self.files().iter().try_for_each(|file| self.world.files.write_private(file, text));
        written.map_err(|problem| format!("its file cannot be written: {problem}"))
    }

    fn cannot_renew(&self, why: &str) -> String {
        let ends = self.token().ends().map(|ends| format!(" ends at {} and", ends.format("%H:%M:%S UTC"))).unwrap_or_default();
        format!("the workflow's OIDC token{ends} could not be renewed, which is tried again: {why}")
    }

    /// Takes the token away from everybody. Nothing that still runs can renew its credentials.
    pub fn withdraw(&self) {
        for file in std::mem::take(&mut *self.files()) {
            // It is in the run's private folder, which goes as well.
            let _ = self.world.files.remove(&file);
        }
    }
}

fn whole(problem: &Diagnostic) -> String {
    std::iter::once(&problem.message).chain(&problem.notes).cloned().collect::<Vec<_>>().join("; ")
}
