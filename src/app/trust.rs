//! Further root certificates, for us and for every process that we start.

use std::path::Path;
use std::sync::Arc;

use super::plan::private_folder;
use super::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::world::{World, os};

/// The largest file of certificates; those of whole machines have a quarter.
const LARGEST: u64 = 1 << 20;

/// The variables by which programs are told of a bundle: Terraform and its providers, git, and what uses the SDKs of AWS.
const TOLD_BY: [&str; 3] = ["SSL_CERT_FILE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE"];

/// The file in the session's folder of certificates with all that are trusted.
pub(super) const BUNDLE: &str = "certificates.pem";

impl Session {
    /// Trusts the certificates of a file, if one is named, beside the machine's from here on.
    pub(super) fn trust(&mut self, file: Option<&Path>) -> Result<(), Problems> {
        let Some(file) = file else { return Ok(()) };
        let refused = |why: String| {
            Diagnostic::error(FailureReason::InvalidInput, format!("cannot use the certificates in `{}`: {why}", file.display()))
                .help("name a file of root certificates in PEM with `--ca-cert`")
        };
        let further = self.world.files.read(&self.world.directory.join(file), LARGEST).map_err(|why| refused(why.to_string()))?;
        let bundle = os::with_machines_certificates(&further).map_err(refused)?;
        let folder = private_folder(self)?;
        let path = folder.path().join(BUNDLE);
        self.world
            .files
            .write_private(&path, &bundle)
            .map_err(|why| Diagnostic::error(FailureReason::Internal, format!("cannot write `{}`: {why}", path.display())))?;
        let told = TOLD_BY.map(|name| (name.to_owned(), path.to_string_lossy().into_owned()));
        self.world = World {
            http: os::http_trusting(&further),
            variables: Arc::new(self.world.variables.with(told)),
            ..self.world.clone()
        };
        self.certificates = Some(folder);
        Ok(())
    }
}
