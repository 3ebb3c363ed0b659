//! How a new root token reaches the one who asked for it: encoded with a one-time password, or encrypted to a key.

use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::secret::{ClientToken, SecretText};

use super::{PublicKey, SealError};

/// A one-time password: as many characters as the token that it hides has bytes.
#[derive(Debug)]
pub struct Otp(SecretText);

impl Otp {
    /// A new one of `length` characters of `0-9A-Za-z`, which is the length of the tokens that the server makes.
    pub fn generate(length: usize, entropy: &dyn Entropy) -> Result<Self, SealError> {
        entropy.base62(length).map(|text| Self(SecretText::new(text))).map_err(SealError::Entropy)
    }

    /// One that the caller made, which must be `length` bytes long.
    pub fn parse(text: SecretText, length: usize) -> Result<Self, SealError> {
        if text.expose().len() == length { Ok(Self(text)) } else { Err(SealError::OtpLength) }
    }

    /// The password, for the answer to the one who started the generation.
    pub fn text(&self) -> &SecretText {
        &self.0
    }
}

/// How the token is to be handed over.
#[derive(Debug)]
pub enum RootDelivery {
    /// XORed with a one-time password.
    Otp(Otp),
    /// Encrypted to a public key.
    Pgp(Box<PublicKey>),
}

/// `encoded_token`: a token in the form in which it is answered.
pub type EncodedToken = String;

impl RootDelivery {
    /// The token in the form that `encoded_token` has.
    pub fn encode(&self, token: &ClientToken, entropy: &dyn Entropy) -> Result<EncodedToken, SealError> {
        match self {
            Self::Otp(otp) => {
                let mixed = xor(token.expose().as_bytes(), otp.0.expose().as_bytes())?;
                Ok(BASE64_NOPAD.encode(&mixed))
            }
            Self::Pgp(key) => key.encrypt_base64(token.expose().as_bytes(), entropy),
        }
    }

    /// The fingerprint of the key that it is encrypted to; empty for a one-time password.
    pub fn pgp_fingerprint(&self) -> &str {
        match self {
            Self::Otp(_) => "",
            Self::Pgp(key) => key.fingerprint(),
        }
    }
}

/// Undoes the encoding with a one-time password: `sys/decode-token`.
pub fn decode_token(encoded: &str, otp: &SecretText) -> Result<ClientToken, SealError> {
    if encoded.is_empty() || otp.is_empty() {
        return Err(SealError::OtpEmpty);
    }
    let unpadded = encoded.trim_end_matches('=').as_bytes();
    let mixed = BASE64_NOPAD.decode(unpadded).map(Zeroizing::new).map_err(|_| SealError::TokenText)?;
    let mut token = xor(&mixed, otp.expose().as_bytes())?;
    let token = String::from_utf8(std::mem::take(&mut *token)).map_err(|error| {
        // The bytes may be most of a token.
        drop(Zeroizing::new(error.into_bytes()));
        SealError::TokenOtpMismatch
    })?;
    Ok(ClientToken::new(token))
}

fn xor(a: &[u8], b: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if a.len() != b.len() {
        return Err(SealError::TokenOtpMismatch);
    }
    let mut mixed = Zeroizing::new(Vec::with_capacity(a.len()));
    mixed.extend(a.iter().zip(b).map(|(a, b)| a ^ b));
    Ok(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn secret(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn a_known_token_decodes() {
        // Recorded from the peer: its otp, its encoded token.
        let otp = secret("aEU4gsCKuKq5AUQvrW4c277Ece");
        let token = decode_token("EmtmcAg4JQ1GADt8BmImTh8/WAdxdnI/CFU", &otp).unwrap();
        assert_eq!(token.expose(), "s.3DoKfF3KJIG7w8mhldCAEzk0");
        let delivery = RootDelivery::Otp(Otp::parse(otp, 26).unwrap());
        let encoded = delivery.encode(&token, &SeededEntropy::new(1)).unwrap();
        assert_eq!(encoded, "EmtmcAg4JQ1GADt8BmImTh8/WAdxdnI/CFU");
    }

    #[test]
    fn it_goes_there_and_back() {
        let entropy = SeededEntropy::new(1);
        let otp = Otp::generate(26, &entropy).unwrap();
        let text = otp.text().expose().to_owned();
        let token = ClientToken::new("s.abcdefghijklmnopqrstuvwx".to_owned());
        let encoded = RootDelivery::Otp(otp).encode(&token, &entropy).unwrap();
        assert!(!encoded.contains('='));
        assert_eq!(decode_token(&encoded, &secret(&text)).unwrap().expose(), token.expose());
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        assert!(matches!(Otp::parse(secret("short"), 26), Err(SealError::OtpLength)));
        assert!(matches!(decode_token("", &secret("a")), Err(SealError::OtpEmpty)));
        assert!(matches!(decode_token("AAAA", &secret("")), Err(SealError::OtpEmpty)));
        assert!(matches!(decode_token("!!", &secret("a")), Err(SealError::TokenText)));
        assert!(matches!(decode_token("AAAA", &secret("abcd")), Err(SealError::TokenOtpMismatch)));
        assert!(matches!(decode_token("gICA", &secret("abc")), Err(SealError::TokenOtpMismatch)));
        let otp = Otp::generate(10, &SeededEntropy::new(1)).unwrap();
        let token = ClientToken::new("s.longer than ten".to_owned());
        assert!(RootDelivery::Otp(otp).encode(&token, &SeededEntropy::new(1)).is_err());
    }
}
