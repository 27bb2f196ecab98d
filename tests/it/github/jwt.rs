//! JSON Web Tokens, signed with RSA.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// A key of the tests, which protects nothing.
pub(super) struct Key(RsaKeyPair);

impl Key {
    pub(super) fn read(pem: &str) -> Self {
        let der = PrivatePkcs1KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        Self(RsaKeyPair::from_der(der.secret_pkcs1_der()).unwrap())
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&json!({"typ": "JWT", "alg": "RS256", "kid": "1"})), encode(claims));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The claims of a token that this key signed.
    pub(super) fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let head: Value = serde_json::from_slice(&decode(head)?).ok()?;
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.0.public());
        public.verify(signed.as_bytes(), &decode(signature)?).ok().filter(|()| head["alg"] == "RS256")?;
        serde_json::from_slice(&decode(claims)?).ok()
    }

    /// The public key, as a set of keys names it.
    pub(super) fn public(&self) -> Value {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.0.public());
        let encode = |number: Vec<u8>| URL_SAFE_NO_PAD.encode(number);
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": encode(parts.n), "e": encode(parts.e)})
    }
}
