//! Root certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject as _};

/// How many characters of a certificate a line of PEM holds.
const LINE: usize = 64;

/// The machine's root certificates with those of `further`, all PEM: programs that are told of a bundle forget the machine's own.
///
/// # Errors
/// Why `further` cannot be used.
pub fn with_machines_certificates(further: &[u8]) -> Result<Vec<u8>, String> {
    let further: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(further).collect::<Result<_, _>>().map_err(|problem| not_pem(&problem))?;
    if further.is_empty() {
        return Err("there is no `-----BEGIN CERTIFICATE-----` in it".to_owned());
    }
    for (position, certificate) in further.iter().enumerate() {
        check(certificate).map_err(|problem| format!("its certificate {} is none: {problem}", position + 1))?;
    }
    // A machine without any is fine: then there are only those.
    let machines = rustls_native_certs::load_native_certs().certs;
    Ok(machines.iter().chain(&further).flat_map(|certificate| to_pem(certificate)).collect())
}

fn not_pem(problem: &pem::Error) -> String {
    match problem {
        pem::Error::MissingSectionEnd { .. } => "it is cut off: a `-----BEGIN` has no `-----END`".to_owned(),
        problem => format!("it is not PEM: {problem}"),
    }
}

/// Lets the client that will use it look at it.
fn check(certificate: &CertificateDer) -> Result<(), String> {
    let usable = Certificate::from_der(certificate)
        .and_then(|certificate| Client::builder().tls_built_in_root_certs(false).add_root_certificate(certificate).build());
    usable.map(|_| ()).map_err(|problem| super::http::innermost(&problem))
}

fn to_pem(certificate: &CertificateDer) -> Vec<u8> {
    let mut text = b"-----BEGIN CERTIFICATE-----\n".to_vec();
    for line in STANDARD.encode(certificate).as_bytes().chunks(LINE) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(b"-----END CERTIFICATE-----\n");
    text
}
